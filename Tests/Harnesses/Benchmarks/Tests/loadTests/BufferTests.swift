import Glibc
import Testing

@testable import load

@Suite struct BufferTests {
  @Test func `frames are received complete however they are split`() throws {
    let (socket, peer) = try pair()
    var received = ReceiveBuffer()
    let frames = (1...50).map { number in
      FrameHeader.frame(
        streamID: UInt32(number), kind: 2, body: .init(repeating: 7, count: number * 3))
    }
    let bytes = frames.flatMap { $0 }
    var lengths: [Int] = []
    var numbers = RandomNumbers(seed: 4)
    var sent = 0
    while sent < bytes.count {
      let count = min(1 + Int(numbers.next(below: 40)), bytes.count - sent)
      #expect(unsafe write(peer.descriptor, Array(bytes[sent..<sent + count]), count) == count)
      sent += count
      #expect(try received.fill(from: socket))
      while let frame = try received.next() {
        #expect(Int(frame.header.streamID) == lengths.count + 1)
        #expect(unsafe frame.body.allSatisfy { $0 == 7 })
        lengths.append(unsafe frame.body.count)
      }
    }
    #expect(lengths == (1...50).map { $0 * 3 })
    #expect(try received.fill(from: socket) == false)
    close(peer.descriptor)
    #expect(throws: LoadError.self) { try received.fill(from: socket) }
    close(socket.descriptor)
  }

  @Test func `a frame that is too long for the buffer is an error`() throws {
    let (socket, peer) = try pair()
    let header = FrameHeader(length: 4 << 20, streamID: 1, kind: 2).bytes
    #expect(unsafe write(peer.descriptor, header, header.count) == header.count)
    var received = ReceiveBuffer()
    #expect(try received.fill(from: socket))
    #expect(throws: LoadError.self) { try received.next() }
    close(peer.descriptor)
    close(socket.descriptor)
  }

  @Test func `bytes that the socket does not accept are kept and sent in order`() throws {
    let (socket, peer) = try pair()
    var unsent = SendBuffer(capacity: 1 << 20)
    var expected: [UInt8] = []
    var arrived: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 100_000)
    for round in 0..<40 as Range<UInt8> {
      let piece = [UInt8](repeating: round, count: 60_000)
      unsent.append(contentsOf: piece)
      expected += piece
      _ = try unsent.flush(to: socket)
      let count = unsafe read(peer.descriptor, &chunk, chunk.count)
      if count > 0 { arrived += chunk[..<count] }
    }
    while try !unsent.flush(to: socket) || arrived.count < expected.count {
      let count = unsafe read(peer.descriptor, &chunk, chunk.count)
      if count > 0 { arrived += chunk[..<count] }
    }
    #expect(arrived == expected)
    close(peer.descriptor)
    close(socket.descriptor)
  }

  private func pair() throws -> (UnixSocket, UnixSocket) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
    return (UnixSocket(descriptor: ends[0]), UnixSocket(descriptor: ends[1]))
  }
}
