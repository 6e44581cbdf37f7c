// What Swift's Glibc module does not import: the kernel's word on who is at the other end of a
// Unix socket, and a descriptor that wakes a thread out of poll(2).
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// Who connected, as the kernel recorded it at connect(2).
struct clinux_peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

/// Reads SO_PEERCRED of a connected Unix socket. Returns 0, or an errno.
int clinux_peer_credentials(int socket, struct clinux_peer *peer);

/// Opens an eventfd, close-on-exec and non-blocking. Returns the descriptor, or a negated errno.
int clinux_wakeup_open(void);

/// Makes the descriptor readable. Never blocks; returns 0, or an errno.
int clinux_wakeup_signal(int wakeup);

/// Takes every signal sent so far, so that the descriptor is no longer readable.
void clinux_wakeup_drain(int wakeup);

#endif
