internal import Dispatch
internal import Foundation
internal import Glibc
internal import StandardStreams

/// The bytes of standard input in the pieces in which they arrive, without a byte order mark.
///
/// A separate thread blocks in `read(2)`, which cannot be interrupted. A task that reads from this
/// sequence can be cancelled at once; the thread ends with the process.
struct StandardInput: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  /// The maximum size of a piece, in bytes.
  private static let pieceSize = 64 * 1024
  /// The number of pieces that the thread may read ahead.
  private static let piecesAhead = 4

  private let pieces: AsyncThrowingStream<[UInt8], any Error>
  /// Counts the pieces that the thread may still read.
  private let capacity: DispatchSemaphore

  /// Starts the thread.
  ///
  /// Use it once in a process: bytes that were read cannot be put back.
  init() {
    // Begins with 0, since a semaphore must not be freed with less than its initial value.
    let capacity = DispatchSemaphore(value: 0)
    for _ in 0..<Self.piecesAhead { capacity.signal() }
    let (pieces, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream(
      bufferingPolicy: .bufferingOldest(Self.piecesAhead))
    Thread.detachNewThread {
      do throws(CommandError) {
        capacity.wait()
        var piece = try Self.firstPiece()
        while !piece.isEmpty {
          continuation.yield(piece)
          capacity.wait()
          piece = try Self.piece()
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    self.pieces = pieces
    self.capacity = capacity
  }

  /// Reads the first piece, without the byte order mark that some programs write before UTF-8.
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

  /// Reads the next piece; empty at the end of the input.
  private static func piece() throws(CommandError) -> [UInt8] {
    var result = 0
    var errorNumber: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
      repeat {
        result = unsafe read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        errorNumber = errno
      } while result < 0 && errorNumber == EINTR
      count = Swift.max(result, 0)
    }
    guard result >= 0 else {
      throw CommandError("cannot read standard input", systemError: errorNumber)
    }
    return bytes
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(pieces: pieces.makeAsyncIterator(), capacity: capacity)
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var pieces: AsyncThrowingStream<[UInt8], any Error>.AsyncIterator
    fileprivate let capacity: DispatchSemaphore

    mutating func next() async throws -> [UInt8]? {
      let piece = try await pieces.next(isolation: #isolation)
      capacity.signal()
      return piece
    }
  }
}
