@testable import TTRPC

/// The rules for the frames that a client sends.
enum ClientOutput {
  private struct Stream {
    var takesData: Bool
    var isCancelled = false
  }

  static func check(_ bytes: [UInt8]) {
    let limit = ClientRun.limits.wire.maximumMessageSize
    let (frames, rest) = WireFrame.frames(of: bytes, limit: limit)
    expect(rest.isEmpty, "a client sends whole frames")
    var streams: [UInt32: Stream] = [:]
    var last: UInt32 = 0
    for frame in frames {
      let id = frame.streamID
      expect(frame.length <= limit, "a frame of \(frame.length) bytes is within the limit")
      guard frame.type != WireFrame.request else {
        expect(id % 2 == 1 && id > last, "stream id \(id) follows \(last)")
        last = id
        // The flags of a client-streaming call keep the stream open for data; others have none.
        streams[id] = Stream(takesData: frame.flags == 0x06)
        continue
      }
      guard let stream = streams[id] else { violated("the client has opened stream \(id)") }
      expect(!stream.isCancelled, "nothing follows a cancellation")
      switch frame.type {
      case WireFrame.data:
        expect(stream.takesData, "stream \(id) is open for data")
        if frame.isTerminal { streams[id]?.takesData = false }
      case WireFrame.cancel: streams[id]?.isCancelled = true
      default: violated("a client sends no frame of type \(frame.type)")
      }
    }
  }
}
