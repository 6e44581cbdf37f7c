internal import DynamicMessages
internal import StandardStreams

/// The requests of a call as binary messages, read from pieces of JSON.
///
/// A request is available as soon as its last byte has arrived.
struct Requests<Pieces: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Pieces.Element == [UInt8] {
  typealias Element = [UInt8]
  typealias Failure = any Error

  let type: MessageType
  let pieces: Pieces

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(type: type, pieces: pieces.makeAsyncIterator())
  }

  struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let type: MessageType
    fileprivate var pieces: Pieces.AsyncIterator
    private var values = JSONSequence()
    private var count = 0
    private var hasEnded = false

    fileprivate init(type: MessageType, pieces: Pieces.AsyncIterator) {
      self.type = type
      self.pieces = pieces
    }

    /// - Throws: `CommandError` for an invalid request, with its number; the errors of the pieces.
    mutating func next() async throws -> [UInt8]? {
      while true {
        if let request = try nextBufferedRequest() { return request }
        if hasEnded { return nil }
        if let piece = try await pieces.next(isolation: #isolation) {
          values.append(piece)
        } else {
          values.end()
          hasEnded = true
        }
      }
    }

    private mutating func nextBufferedRequest() throws(CommandError) -> [UInt8]? {
      do throws(DynamicMessageError) {
        guard let value = try values.next() else { return nil }
        count += 1
        return try type.binary(fromJSON: value)
      } catch {
        // A value that is not valid JSON was not counted.
        throw CommandError(error, in: "request \(error.code == .json ? count + 1 : count)")
      }
    }
  }
}

extension MessageType {
  /// Encodes requests from the command line, one in each argument.
  ///
  /// - Throws: `CommandError` for the first invalid request, with its number.
  func requests(from arguments: [String]) throws(CommandError) -> [[UInt8]] {
    var requests: [[UInt8]] = []
    for argument in arguments {
      do throws(DynamicMessageError) {
        requests.append(try binary(fromJSON: argument))
      } catch {
        throw CommandError(error, in: "request \(requests.count + 1)")
      }
    }
    return requests
  }
}
