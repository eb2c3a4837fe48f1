/* The cause of a refusal: a reason of the protocol, and at most 96 ASCII characters for people. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "../generated/protocol.h"

typedef struct {
  int refused;
  uint8_t reason;
  const char *detail;
} refusal;

static inline refusal accepted(void) {
  refusal r = {0, 0, ""};
  return r;
}

static inline refusal refused(uint8_t reason, const char *detail) {
  refusal r = {1, reason, detail};
  return r;
}

#endif
