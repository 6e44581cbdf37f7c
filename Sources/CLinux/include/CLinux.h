// Functions of Linux and glibc that Swift's Glibc module does not import: the credentials of a Unix
// socket's peer, an eventfd that wakes a thread out of poll(2), and the release of unused memory.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// The credentials of a socket's peer, as the kernel recorded them at connect(2).
struct clinux_peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

/// Reads the peer's credentials of a connected Unix socket (SO_PEERCRED). Returns 0 or an errno.
int clinux_peer_credentials(int socket, struct clinux_peer *peer);

/// Reads the supplementary groups that the peer of a Unix socket had when it connected
/// (SO_PEERGROUPS).
///
/// On input, `*count` is the capacity of `groups`; on output, it is the number of the peer's
/// groups. Returns 0, ERANGE if the capacity is too small, ENOPROTOOPT if the kernel is older than
/// 4.13, or another errno.
int clinux_peer_groups(int socket, gid_t *groups, uint32_t *count);

/// Accepts a connection as a close-on-exec, non-blocking descriptor. Returns the descriptor or a
/// negated errno.
int clinux_accept(int listener);

/// Opens a close-on-exec, non-blocking eventfd. Returns the descriptor or a negated errno.
int clinux_wakeup_open(void);

/// Makes the eventfd readable. Never blocks. Returns 0 or an errno.
int clinux_wakeup_signal(int wakeup);

/// Consumes all signals sent so far, so that the eventfd is no longer readable.
void clinux_wakeup_drain(int wakeup);

/// Returns freed memory of the heap to the system (glibc's malloc_trim).
void clinux_release_free_memory(void);

/// Lets the allocator return each block of 512 KiB or more to the system once it is freed, from now
/// on (glibc's mallopt).
///
/// By default, the first such block that is freed makes the allocator take later ones of its size
/// from the heap, in whose gaps smaller blocks then keep their pages.
void clinux_release_large_blocks(void);

/// Unmaps the code pages of the program and its libraries from the process.
///
/// The kernel maps a page again when it is used. This is cheap, because the page cache keeps the
/// page.
void clinux_release_code(void);

#endif
