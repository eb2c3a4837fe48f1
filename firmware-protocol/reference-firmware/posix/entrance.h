/* Ways to the board: connections, or one line that stays. Reads and writes of the files never block. */
#ifndef ENTRANCE_H
#define ENTRANCE_H

#include <stddef.h>

/*
 * Listens at HOST:PORT, a loopback address, and tells its URI. Returns a file, or −1 after
 * a message on stderr.
 */
int entrance_listen(const char *address, char *uri, size_t uri_bytes);
/* Makes a raw pseudo-terminal and a symlink to it. Returns a file, or −1 after a message on stderr. */
int entrance_open_pty(const char *link, char *uri, size_t uri_bytes);
/* Removes the symlink that was made. */
void entrance_remove_link(void);
/* Takes a connection that waits. Returns −1 when there is none. */
int entrance_accept(int listener);

#endif
