import ProtobufC

@testable import TTRPC

/// The rules for the frames that a server sends in response to the frames it received.
struct ServerOutput {
  private struct Stream {
    /// The number of requests with the id; only the first can open a stream.
    var requests = 0
    var isAccepted = false
    /// The number of data frames that belong to no stream, which the server may answer.
    var strayData = 0
    var terminals = 0
  }

  private let frames: [WireFrame]
  private let rest: ArraySlice<UInt8>
  private let limit: Int
  private var streams: [UInt32: Stream] = [:]

  init(sent: [UInt8], received: [UInt8], limit: Int) {
    self.limit = limit
    (frames, rest) = WireFrame.frames(of: received, limit: limit)
    var last: UInt32 = 0
    var used: Set<UInt32> = []
    for frame in WireFrame.frames(of: sent, limit: limit).frames {
      let id = frame.streamID
      // The server remembers StreamIDWindow.size ids below the highest one.
      let isRecent = id > last || (last - id) / 2 < UInt32(StreamIDWindow.size)
      let isNew = id % 2 == 1 && isRecent && !used.contains(id)
      switch frame.type {
      case WireFrame.request:
        streams[frame.streamID, default: Stream()].requests += 1
        if isNew {
          last = max(last, id)
          used.insert(id)
          streams[id]?.isAccepted = true
        }
      case WireFrame.data where isNew || id % 2 == 0:
        streams[id, default: Stream()].strayData += 1
        // Data for a skipped id uses it up.
        if id < last { used.insert(id) }
      case WireFrame.data, WireFrame.cancel: break
      default: break
      }
    }
  }

  /// Checks the frames that the server has sent.
  ///
  /// - Parameter isComplete: True if nothing was lost, so that each call has a response.
  func check(isComplete: Bool) {
    var streams = streams
    expect(rest.isEmpty, "a server sends whole frames")
    for frame in frames {
      let id = frame.streamID
      guard let stream = streams[id] else { violated("the peer has used stream \(id)") }
      expect(frame.length <= limit, "a frame of \(frame.length) bytes is within the limit")
      let mayStillAnswer = stream.terminals < stream.requests + stream.strayData
      expect(mayStillAnswer, "nothing follows the last frame of stream \(id)")
      switch frame.type {
      case WireFrame.response:
        let response = try? WireResponse(serialized: Array(frame.payload))
        expect(response != nil, "a response can be decoded")
      case WireFrame.data: expect(stream.isAccepted, "the peer has opened stream \(id)")
      default: violated("a server sends no frame of type \(frame.type)")
      }
      if frame.isTerminal { streams[id]?.terminals += 1 }
    }
    guard isComplete else { return }
    for (id, stream) in streams where stream.isAccepted {
      // A second request with the id of a running call ends it; one terminal frame answers both.
      let least = max(stream.requests - 1, 1)
      expect(stream.terminals >= least, "stream \(id) has its last frame")
    }
  }
}
