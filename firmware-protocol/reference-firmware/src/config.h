/*
 * The sizes of this build. A board with less memory defines smaller numbers, and its answer to HELLO tells
 * the host.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "../generated/protocol.h"

/* Cells, rows of the crossbar, and entries of one coupling array. */
#ifndef CONFIG_CELLS
#define CONFIG_CELLS 8192
#endif
#ifndef CONFIG_ROWS
#define CONFIG_ROWS 1024
#endif
#ifndef CONFIG_COUPLINGS
#define CONFIG_COUPLINGS (INT32_C(8192) * 1024)
#endif

/* Whether rows can have an element and drives. A board without them need not implement the calls for them. */
#ifndef CONFIG_ROW_ELEMENT
#define CONFIG_ROW_ELEMENT 1
#endif

/* Whether samples can be added up, and the most cells for products of all pairs (protocol.md, "Averages"). */
#ifndef CONFIG_AVERAGES
#define CONFIG_AVERAGES 1
#endif
#ifndef CONFIG_MOMENT_CELLS
#define CONFIG_MOMENT_CELLS 64
#endif

/*
 * The length of the longest calibration record that the board keeps; 0: it keeps none. The build takes twice
 * this memory, or once if the board keeps the record itself (board_hal.h). A small board defines a smaller
 * number.
 */
#ifndef CONFIG_CALIBRATION_BYTES
#define CONFIG_CALIBRATION_BYTES (CONFIG_CELLS < 1024 ? 0 : TL_CALIBRATION_BYTES_MAX)
#endif

/* The length of the longest frame: header, payload and CRC, before COBS. */
#ifndef CONFIG_FRAME_BYTES
#define CONFIG_FRAME_BYTES TL_FRAME_BYTES_MAX
#endif
/*
 * Largest number of command frames that one side may have unacknowledged, and of their bytes. The device
 * stores no frame of the host. CONFIG_ANSWER_BYTES is the room for its own frames.
 */
#ifndef CONFIG_WINDOW
#define CONFIG_WINDOW 32
#endif
#ifndef CONFIG_IN_FLIGHT_BYTES
#define CONFIG_IN_FLIGHT_BYTES (INT32_C(16) * CONFIG_FRAME_BYTES)
#endif
/* Largest number of bytes of answers and reports that wait for their acknowledgement. */
#ifndef CONFIG_ANSWER_BYTES
#define CONFIG_ANSWER_BYTES (INT32_C(24) * CONFIG_FRAME_BYTES)
#endif
/* Largest number of sent sample blocks that can be kept. */
#ifndef CONFIG_BLOCKS_KEPT
#define CONFIG_BLOCKS_KEPT TL_BLOCKS_KEPT_MAX
#endif

/* Numbers that do not fit together do not compile. */
typedef char config_assert_frame[CONFIG_FRAME_BYTES >= TL_FRAME_BYTES_BEFORE_HELLO && CONFIG_FRAME_BYTES <= TL_FRAME_BYTES_MAX ? 1 : -1];
typedef char config_assert_answers[CONFIG_ANSWER_BYTES >= 2 * CONFIG_FRAME_BYTES + 512 ? 1 : -1];
typedef char config_assert_window[CONFIG_WINDOW >= 1 && CONFIG_WINDOW <= TL_WINDOW_MAX ? 1 : -1];
typedef char config_assert_cells[CONFIG_CELLS <= TL_CELLS_MAX && CONFIG_ROWS <= TL_CELLS_MAX ? 1 : -1];
typedef char config_assert_moments[CONFIG_MOMENT_CELLS <= TL_MOMENT_CELLS_MAX ? 1 : -1];
typedef char config_assert_kept[CONFIG_BLOCKS_KEPT >= 1 && CONFIG_BLOCKS_KEPT <= TL_BLOCKS_KEPT_MAX ? 1 : -1];

typedef char config_assert_calibration[CONFIG_CALIBRATION_BYTES <= TL_CALIBRATION_BYTES_MAX ? 1 : -1];

#define CONFIG_FIRMWARE_VERSION "reference 0.1.0"

#endif
