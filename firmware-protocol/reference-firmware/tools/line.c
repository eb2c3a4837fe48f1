#include "line.h"

#include <stdlib.h>
#include <string.h>

static char text[1 << 22];
static char *at;
static unsigned long count;

void line_fail(const char *why) {
  fprintf(stderr, "line %lu: %s\n", count, why);
  exit(1);
}

int line_next(void) {
  do {
    size_t length;
    if (!fgets(text, sizeof text, stdin)) return 0;
    count++;
    length = strlen(text);
    if (length + 1 == sizeof text) line_fail("too long");
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) text[--length] = 0;
  } while (text[0] == 0 || text[0] == '#');
  at = text;
  return 1;
}

const char *line_word(void) {
  char *word = at;
  char *space;
  if (*at == 0) return NULL;
  space = strchr(at, ' ');
  if (space) *space++ = 0;
  at = space ? space : at + strlen(at);
  return word;
}

const char *line_need(void) {
  const char *word = line_word();
  if (!word) line_fail("a word is missing");
  return word;
}

int64_t line_number(void) { return line_parse(line_need()); }

int64_t line_parse(const char *word) {
  char *end;
  long long value = strtoll(word, &end, 10);
  if (*end != 0 || end == word) line_fail("not a number");
  return value;
}

static int digit(char c) {
  const char *digits = "0123456789abcdef";
  const char *found = c == 0 ? NULL : strchr(digits, c);
  if (!found) line_fail("not a hexadecimal digit");
  return (int)(found - digits);
}

size_t line_hex(const char *word, uint8_t *out, size_t room) {
  size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;
  if (length > room) line_fail("too many bytes");
  for (size_t i = 0; i < length; i++) out[i] = (uint8_t)(16 * digit(word[2 * i]) + digit(word[2 * i + 1]));
  return length;
}

void print_hex(const uint8_t *bytes, size_t length) {
  if (length == 0) printf("-");
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
}
