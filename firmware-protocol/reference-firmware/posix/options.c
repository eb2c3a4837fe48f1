#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: thermolink-device [--profile NAME] [--die N] [--seed N] [--tcp HOST:PORT | --pty LINK]\n"
    "                         [--calibration-file FILE]\n"
    "  NAME: ideal-8, ideal-64, ideal-256, ideal-1024 or ideal-crossbar (default)\n"
    "  --seed: the boot epoch; --tcp: a loopback address, port 0 for any free one (default 127.0.0.1:0)\n"
    "  --calibration-file: keeps the calibration record here; without it the record ends with the program\n";

static int number(const char *text, uint32_t *out) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != 0 || *text == '-' || value > UINT32_MAX) return 0;
  *out = (uint32_t)value;
  return 1;
}

int options_parse(options *o, int argc, char **argv) {
  o->profile = "ideal-crossbar";
  o->die = 1;
  o->boot_epoch = 1;
  o->tcp = NULL;
  o->pty = NULL;
  o->calibration_file = NULL;
  for (int i = 1; i < argc; i += 2) {
    const char *name = argv[i];
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    int known = value != NULL;
    if (known && strcmp(name, "--profile") == 0) o->profile = value;
    else if (known && strcmp(name, "--tcp") == 0) o->tcp = value;
    else if (known && strcmp(name, "--pty") == 0) o->pty = value;
    else if (known && strcmp(name, "--calibration-file") == 0) o->calibration_file = value;
    else if (known && strcmp(name, "--die") == 0) known = number(value, &o->die);
    else if (known && strcmp(name, "--seed") == 0) known = number(value, &o->boot_epoch);
    else known = 0;
    if (!known) {
      fprintf(stderr, "%s: not understood\n%s", name, usage);
      return 0;
    }
  }
  if (o->tcp && o->pty) {
    fprintf(stderr, "--tcp and --pty exclude each other\n%s", usage);
    return 0;
  }
  if (!o->tcp && !o->pty) o->tcp = "127.0.0.1:0";
  return 1;
}
