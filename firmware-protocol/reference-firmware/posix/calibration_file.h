/* Keeps the calibration record of the board in a file. Then it survives the end of the program. */
#ifndef CALIBRATION_FILE_H
#define CALIBRATION_FILE_H

/*
 * Reads the record in the file, and writes later records to it. If the file does not exist, there is no
 * record. Returns 0 after a message on stderr. Without this call the record is only in memory.
 */
int calibration_file_open(const char *path);

#endif
