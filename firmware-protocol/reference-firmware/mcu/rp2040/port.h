#ifndef PORT_H
#define PORT_H

/* Whether the host has asked to load another firmware. */
int port_wants_boot_loader(void);

#endif
