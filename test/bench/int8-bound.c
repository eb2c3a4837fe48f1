/*
 * Measures how much couplings of int8 could gain over int16, on one core, with the instructions of
 * WebAssembly.
 *
 *   clang -O3 -mavx test/bench/int8-bound.c -o int8-bound && ./int8-bound
 *
 * Each loop makes the products of a matrix of codes and a vector, four rows at once, with vectors of 128
 * bits:
 *   int16   a product reads eight codes from memory
 *   widen   eight codes are widened from int8 as they are loaded
 *   packed  a word holds the codes of two rows, w = 256 b + (a + 128); one product takes w, one takes w >> 8
 *   bound   half the bytes and no widening at all. Its sums are wrong. No order of instructions with the
 *           same products is faster.
 * The loops run in turns for 200 rounds. For each the program prints its fastest round, and its speed divided
 * by that of int16.
 */
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Receives the results, so that the compiler cannot leave out the products. */
static volatile int64_t kept;

typedef int64_t Loop(const void *codes, const int16_t *input, int columns, int rows);

static __m128i load(const void *at) { return _mm_loadu_si128(at); }
static __m128i plus_product(__m128i sum, __m128i input, __m128i codes) {
  return _mm_add_epi32(sum, _mm_madd_epi16(input, codes));
}

/* The four sums are a, b, c, d; `panel` holds the codes of four rows, column by column. */
#define LOOP(name, bytes, body)                                                                     \
  __attribute__((noinline)) static int64_t name(const void *codes, const int16_t *input,            \
                                                int columns, int rows) {                            \
    __m128i all = _mm_setzero_si128();                                                              \
    for (int row = 0; row < rows; row += 4) {                                                       \
      __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;                                         \
      const char *panel = (const char *)codes + (size_t)row * columns * bytes;                      \
      for (int column = 0; column < columns; column += 8, panel += 32 * bytes) {                    \
        const __m128i x = load(input + column);                                                     \
        body                                                                                        \
      }                                                                                             \
      all = _mm_xor_si128(all, _mm_add_epi32(_mm_add_epi32(a, b), _mm_add_epi32(c, d)));            \
    }                                                                                               \
    return _mm_cvtsi128_si64(all);                                                                  \
  }

LOOP(int16, 2, {
  a = plus_product(a, x, load(panel));
  b = plus_product(b, x, load(panel + 16));
  c = plus_product(c, x, load(panel + 32));
  d = plus_product(d, x, load(panel + 48));
})

static __m128i wide(const char *at) { return _mm_cvtepi8_epi16(_mm_loadl_epi64((const void *)at)); }
LOOP(widen, 1, {
  a = plus_product(a, x, wide(panel));
  b = plus_product(b, x, wide(panel + 8));
  c = plus_product(c, x, wide(panel + 16));
  d = plus_product(d, x, wide(panel + 24));
})

LOOP(packed, 1, {
  const __m128i ab = load(panel);
  const __m128i cd = load(panel + 16);
  a = plus_product(a, x, ab);
  b = plus_product(b, x, _mm_srai_epi16(ab, 8));
  c = plus_product(c, x, cd);
  d = plus_product(d, x, _mm_srai_epi16(cd, 8));
})

LOOP(bound, 1, {
  const __m128i ab = load(panel);
  const __m128i cd = load(panel + 16);
  const __m128i y = load(input + (column ^ 8));
  a = plus_product(a, x, ab);
  b = plus_product(b, y, ab);
  c = plus_product(c, x, cd);
  d = plus_product(d, y, cd);
})

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

int main(void) {
  static const struct { const char *name; Loop *loop; int bytes; } LOOPS[] = {
    { "int16", int16, 2 }, { "widen", widen, 1 }, { "packed", packed, 1 }, { "bound", bound, 1 },
  };
  static const int SIZES[][2] = { { 256, 64 }, { 256, 512 }, { 1024, 1024 }, { 2048, 2048 } };
  for (int size = 0; size < 4; size++) {
    const int columns = SIZES[size][0], rows = SIZES[size][1];
    const size_t count = (size_t)columns * rows;
    int16_t *codes = aligned_alloc(4096, 2 * count);
    int8_t *narrow = aligned_alloc(4096, count);
    /*
     * The input begins half a page behind the start of a page. At other places the cache may confuse input
     * and codes.
     */
    int16_t *page = aligned_alloc(4096, 8192), *input = page + 1024;
    for (size_t i = 0; i < count; i++) codes[i] = narrow[i] = (int8_t)(rand() % 255 - 127);
    for (int i = 0; i < columns; i++) input[i] = (int16_t)rand();
    const int repeats = count < 100000 ? 200 : count < 3000000 ? 20 : 5;
    double best[4] = { 1e9, 1e9, 1e9, 1e9 };
    for (int round = 0; round < 200; round++)
      for (int i = 0; i < 4; i++) {
        const double start = seconds();
        for (int repeat = 0; repeat < repeats; repeat++)
          kept ^= LOOPS[i].loop(LOOPS[i].bytes == 2 ? (void *)codes : narrow, input, columns, rows);
        const double taken = (seconds() - start) / repeats;
        if (taken < best[i]) best[i] = taken;
      }
    printf("%4d x %-4d", rows, columns);
    for (int i = 0; i < 4; i++)
      printf("  %s %.2f us (x%.2f)", LOOPS[i].name, best[i] * 1e6, best[0] / best[i]);
    printf("\n");
    free(codes), free(narrow), free(page);
  }
}
