#define _GNU_SOURCE
#include "CLinux.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int clinux_peer_credentials(int socket, struct clinux_peer *peer) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return errno;
  peer->pid = credentials.pid;
  peer->uid = credentials.uid;
  peer->gid = credentials.gid;
  return 0;
}

int clinux_peer_groups(int socket, gid_t *groups, uint32_t *count) {
  socklen_t length = (socklen_t)(*count * sizeof *groups);
  int result = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &length);
  int error = errno;
  if (result != 0 && error != ERANGE) return error;
  *count = (uint32_t)(length / sizeof *groups);
  return result == 0 ? 0 : error;
}

int clinux_accept(int listener) {
  int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return descriptor >= 0 ? descriptor : -errno;
}

int clinux_wakeup_open(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return descriptor >= 0 ? descriptor : -errno;
}

int clinux_wakeup_signal(int wakeup) {
  uint64_t one = 1;
  // EAGAIN: the counter is full, so the descriptor is readable already.
  if (write(wakeup, &one, sizeof one) == sizeof one || errno == EAGAIN) return 0;
  return errno;
}

void clinux_wakeup_drain(int wakeup) {
  uint64_t count;
  while (read(wakeup, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

void clinux_release_free_memory(void) { malloc_trim(0); }

void clinux_release_large_blocks(void) {
  mallopt(M_MMAP_THRESHOLD, 512 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

static int release_code(struct dl_phdr_info *object, size_t size, void *nothing) {
  (void)size, (void)nothing;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int index = 0; index < object->dlpi_phnum; index++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[index];
    // Only code: dropping a writable segment would lose its relocations and data.
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || part->p_flags & PF_W) continue;
    uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
    uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
    madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void clinux_release_code(void) { dl_iterate_phdr(release_code, NULL); }
