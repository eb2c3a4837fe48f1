#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include "entrance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define WAITING_MAX 8

static const char *made_link;
static char made_target[128];

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  return -1;
}

static int set_nonblocking(int file) {
  int flags = fcntl(file, F_GETFL);
  return flags < 0 || fcntl(file, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(file, F_SETFD, FD_CLOEXEC) < 0 ? -1 : file;
}

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} socket_address;

/*
 * Reads HOST:PORT or [IPv6]:PORT. Only addresses that other machines cannot reach are allowed, because there
 * is no authentication.
 */
static socklen_t parse_address(const char *text, socket_address *out) {
  char host[64];
  const char *colon = strrchr(text, ':');
  size_t length = colon ? (size_t)(colon - text) : 0;
  long port = colon ? strtol(colon + 1, NULL, 10) : -1;
  memset(out, 0, sizeof *out);
  if (length == 0 || length >= sizeof host || port < 0 || port > 65535 || colon[1] == 0) return 0;
  memcpy(host, text, length);
  host[length] = 0;
  if (strcmp(host, "localhost") == 0) strcpy(host, "127.0.0.1");
  if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)port);
    return ntohl(out->v4.sin_addr.s_addr) >> 24 == 127 ? sizeof out->v4 : 0;
  }
  if (host[0] == '[' && host[length - 1] == ']') {
    host[length - 1] = 0;
    if (inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) != 1) return 0;
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons((uint16_t)port);
    return IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr) ? sizeof out->v6 : 0;
  }
  return 0;
}

int entrance_listen(const char *address, char *uri, size_t uri_bytes) {
  socket_address at;
  socklen_t size = parse_address(address, &at);
  int on = 1, file;
  unsigned port;
  if (size == 0) {
    fprintf(stderr, "%s is no loopback address HOST:PORT (whoever connects drives the board)\n", address);
    return -1;
  }
  file = socket(at.any.sa_family, SOCK_STREAM, 0);
  if (file < 0) return failed("socket");
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(file, &at.any, size) < 0 || listen(file, WAITING_MAX) < 0 || getsockname(file, &at.any, &size) < 0 ||
      set_nonblocking(file) < 0) {
    failed(address);
    close(file);
    return -1;
  }
  port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
  snprintf(uri, uri_bytes, "tcp://%.*s:%u", (int)(strrchr(address, ':') - address), address, port);
  return file;
}

/* Notices within 20 s that the machine of a client has vanished (protocol.md, "Over TCP"). */
static void keep_alive(int file) {
  int on = 1, idle_s = 10, interval_s = 1, probes = 10;
  setsockopt(file, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
  setsockopt(file, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(file, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  setsockopt(file, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
#else
  (void)idle_s, (void)interval_s, (void)probes;
#endif
}

int entrance_accept(int listener) {
  int on = 1;
  int file = accept(listener, NULL, NULL);
  if (file < 0) return -1;
  setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  keep_alive(file);
  return set_nonblocking(file);
}

/* Makes the symbolic link. Replaces an older symbolic link of this name, but no other file. */
static int make_link(const char *target, const char *link_path) {
  struct stat found;
  if (lstat(link_path, &found) == 0) {
    if (!S_ISLNK(found.st_mode)) {
      errno = EEXIST;
      return -1;
    }
    unlink(link_path);
  }
  return symlink(target, link_path);
}

int entrance_open_pty(const char *link_path, char *uri, size_t uri_bytes) {
  struct termios settings;
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  int slave;
  const char *name;
  if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || !(name = ptsname(master))) return failed("pty");
  snprintf(made_target, sizeof made_target, "%s", name);
  /*
   * This handle stays open. Without an open handle the terminal would lose its raw mode, and reading here
   * would fail.
   */
  slave = open(made_target, O_RDWR | O_NOCTTY);
  if (slave < 0 || tcgetattr(slave, &settings) < 0) return failed(made_target);
  cfmakeraw(&settings);
  if (tcsetattr(slave, TCSANOW, &settings) < 0 || set_nonblocking(master) < 0) return failed(made_target);
  if (make_link(made_target, link_path) < 0) return failed(link_path);
  made_link = link_path;
  snprintf(uri, uri_bytes, "serial:%s", link_path);
  return master;
}

void entrance_remove_link(void) {
  char target[sizeof made_target];
  ssize_t length = made_link ? readlink(made_link, target, sizeof target - 1) : -1;
  if (length < 0) return;
  target[length] = 0;
  /* Another process may have made its own link there. */
  if (strcmp(target, made_target) == 0) unlink(made_link);
}
