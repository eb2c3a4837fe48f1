/* The calibration record of the board (protocol.md, "Calibration record"). */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "codec.h"
#include "refusal.h"

/* Forgets the bytes written for a next record, because the board has booted. */
void calibration_init(void);
/* An answer has at most `room` bytes of the record. */
refusal calibration_read(const message_value *request, size_t room, message_value *answer);
refusal calibration_write(const message_value *request);
refusal calibration_keep(const message_value *request);

#endif
