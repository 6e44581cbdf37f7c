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

/// Reads SO_PEERGROUPS of a connected Unix socket: the supplementary groups that the peer had when it
/// connected. `*count` is how many places `groups` has, and then how many groups there are. Returns 0,
/// ERANGE where there are more than places, ENOPROTOOPT where the kernel is older than 4.13, or another
/// errno.
int clinux_peer_groups(int socket, gid_t *groups, uint32_t *count);

/// Accepts a connection, close-on-exec and non-blocking. Returns the descriptor, or a negated errno.
int clinux_accept(int listener);

/// Opens an eventfd, close-on-exec and non-blocking. Returns the descriptor, or a negated errno.
int clinux_wakeup_open(void);

/// Makes the descriptor readable. Never blocks; returns 0, or an errno.
int clinux_wakeup_signal(int wakeup);

/// Takes every signal sent so far, so that the descriptor is no longer readable.
void clinux_wakeup_drain(int wakeup);

/* Gives memory that was freed back to the system. (glibc's own.) */
void clinux_release_free_memory(void);

/* Takes the pages of the program's code and of its libraries' out of the process. Those that are used are
   back at once: they lie in the page cache, which has them anyway. */
void clinux_release_code(void);

#endif
