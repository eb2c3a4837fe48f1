#define _XOPEN_SOURCE 700
#include "calibration_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/board_hal.h"
#include "../src/config.h"

#define NEW_SUFFIX ".new"

/* The buffer has one byte more than the longest record. A file that fills it is too long. */
static uint8_t kept[CONFIG_CALIBRATION_BYTES + 1];
static uint32_t kept_length;
static const char *file_path;
static char new_path[PATH_MAX];

static int failed(const char *path) {
  fprintf(stderr, "%s: %s\n", path, strerror(errno));
  return 0;
}

int calibration_file_open(const char *path) {
  int written = snprintf(new_path, sizeof new_path, "%s" NEW_SUFFIX, path);
  struct stat found;
  size_t length;
  FILE *file;
  if (written < 0 || (size_t)written >= sizeof new_path) {
    errno = ENAMETOOLONG;
    return failed(path);
  }
  file_path = path;
  if (stat(path, &found) < 0) return errno == ENOENT || failed(path);
  if (!S_ISREG(found.st_mode)) {
    fprintf(stderr, "%s: is no file\n", path);
    return 0;
  }
  file = fopen(path, "rb");
  if (!file) return failed(path);
  length = fread(kept, 1, sizeof kept, file);
  if (ferror(file)) {
    failed(path);
    fclose(file);
    return 0;
  }
  fclose(file);
  if (length > CONFIG_CALIBRATION_BYTES) {
    fprintf(stderr, "%s: is longer than %lu bytes, so it is no calibration record\n", path,
            (unsigned long)CONFIG_CALIBRATION_BYTES);
    return 0;
  }
  kept_length = (uint32_t)length;
  return 1;
}

static int write_all(int file, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return 0;
    bytes += written;
    length -= (size_t)written;
  }
  return fsync(file) == 0;
}

/* The new file replaces the old one only when it is complete. An interruption leaves one of the two. */
static int store(const uint8_t *record, uint32_t length) {
  int file = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return failed(new_path);
  if (!write_all(file, record, length)) {
    failed(new_path);
    close(file);
    unlink(new_path);
    return 0;
  }
  close(file);
  if (rename(new_path, file_path) == 0) return 1;
  failed(file_path);
  unlink(new_path);
  return 0;
}

const uint8_t *board_calibration(uint32_t *length) {
  *length = kept_length;
  return kept;
}

int board_keep_calibration(const uint8_t *record, uint32_t length) {
  if (file_path && length > 0 && !store(record, length)) return 0;
  if (file_path && length == 0 && unlink(file_path) < 0 && errno != ENOENT) return failed(file_path);
  memcpy(kept, record, length);
  kept_length = length;
  return 1;
}
