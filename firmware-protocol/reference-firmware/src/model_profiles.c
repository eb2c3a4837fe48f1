/* The ideal boards (device-model.md, "Profiles"). */
#include "model.h"

#define IDEAL(name, cells, rows, dense, tick_log2) \
  { name, cells, rows, dense, 1, 1, 16, 16, 16, tick_log2, 4, TL_RAIL_MAX, 1000, 1000000, 10000 }

static const board_profile profiles[] = {
  IDEAL("ideal-8", 8, 8, 1, 4),
  IDEAL("ideal-64", 64, 64, 1, 4),
  IDEAL("ideal-256", 256, 256, 1, 4),
  IDEAL("ideal-1024", 1024, 1024, 1, 4),
  IDEAL("ideal-crossbar", 8192, 1024, 0, 5),
};

static int same_text(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

const board_profile *model_profile(const char *name) {
  for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
    if (same_text(name, profiles[i].name)) return &profiles[i];
  return NULL;
}
