/* Ways to the board: connections, or one permanent line. Reads and writes of the files never block. */
#ifndef ENTRANCE_H
#define ENTRANCE_H

#include <stddef.h>

/*
 * Listens at HOST:PORT, a loopback address, and writes its URI. Returns a file descriptor, or −1 after a
 * message on stderr.
 */
int entrance_listen(const char *address, char *uri, size_t uri_bytes);
/*
 * Makes a raw pseudo-terminal and a symlink to it. Returns a file descriptor, or −1 after a message on
 * stderr.
 */
int entrance_open_pty(const char *link, char *uri, size_t uri_bytes);
/* Removes the symlink that `entrance_open_pty` made. */
void entrance_remove_link(void);
/* Accepts a waiting connection. Returns −1 if there is none. */
int entrance_accept(int listener);

#endif
