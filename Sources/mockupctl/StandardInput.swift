internal import Dispatch
internal import Foundation
internal import Glibc
internal import StandardStreams

/// Standard input, as the pieces in which it comes, without a byte order mark at its beginning.
///
/// A thread of its own waits for them in `read(2)`, which nothing can interrupt: who reads here is
/// cancelled at once, and the thread ends with the process.
struct StandardInput: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  private static let pieceSize = 64 * 1024
  /// How many pieces may wait.
  private static let piecesAhead = 4

  private let pieces: AsyncThrowingStream<[UInt8], any Error>
  /// How many more pieces the thread may read.
  private let room: DispatchSemaphore

  /// Starts the thread: once in a process, since a piece that was read cannot be put back.
  init() {
    // From 0: a semaphore must not be freed with less than it began with.
    let room = DispatchSemaphore(value: 0)
    for _ in 0..<Self.piecesAhead { room.signal() }
    let (pieces, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream(
      bufferingPolicy: .bufferingOldest(Self.piecesAhead))
    Thread.detachNewThread {
      do throws(CommandError) {
        room.wait()
        var piece = try Self.firstPiece()
        while !piece.isEmpty {
          continuation.yield(piece)
          room.wait()
          piece = try Self.piece()
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    self.pieces = pieces
    self.room = room
  }

  /// Whether a person types it.
  static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// Waits for the first piece, and drops the byte order mark that some programs write before UTF-8.
  private static func firstPiece() throws(CommandError) -> [UInt8] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var piece = try piece()
    while piece.count < mark.count, mark.starts(with: piece) {
      let more = try Self.piece()
      if more.isEmpty { return piece }
      piece += more
    }
    guard piece.starts(with: mark) else { return piece }
    piece.removeFirst(mark.count)
    return piece.isEmpty ? try Self.piece() : piece
  }

  /// Waits for more; empty at the end.
  private static func piece() throws(CommandError) -> [UInt8] {
    var result = 0
    var problem: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
      repeat {
        result = unsafe read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        problem = errno
      } while result < 0 && problem == EINTR
      count = Swift.max(result, 0)
    }
    guard result >= 0 else {
      throw CommandError("cannot read standard input", systemError: problem)
    }
    return bytes
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator(), room: room)
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var pieces: AsyncThrowingStream<[UInt8], any Error>.AsyncIterator
    fileprivate let room: DispatchSemaphore

    mutating func next() async throws -> [UInt8]? {
      let piece = try await pieces.next(isolation: #isolation)
      room.signal()
      return piece
    }
  }
}
