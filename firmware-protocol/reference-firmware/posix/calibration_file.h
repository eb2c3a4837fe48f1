/* The calibration record of the board in a file, so that it outlives the program. */
#ifndef CALIBRATION_FILE_H
#define CALIBRATION_FILE_H

/*
 * Reads the record that the file has, and keeps later ones there. A file that does not exist is no record.
 * Returns 0 after a message on stderr. Without this call the record is in memory.
 */
int calibration_file_open(const char *path);

#endif
