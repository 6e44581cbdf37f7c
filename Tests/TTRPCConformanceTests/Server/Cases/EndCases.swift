import Testing

extension ServerCase {
  /// Calls that end by a deadline, a cancellation or the end of the connection.
  static let ends: [ServerCase] =
    waiting.flatMap { call in
      [
        ServerCase("deadline: \(call.name)", needs: call.needs.union(.deadlines)) { target in
          let key = newKey()
          let peer = try target.connect()
          try await peer.send(call.opening(key, timeout: 50_000_000))
          try await peer.expectStatus(4, of: call)
          try await target.waitUntil(0, run: key)
          try await peer.proveAlive(as: 3)
          try await peer.finish()
        },
        ServerCase("cancel: \(call.name)", needs: call.needs.union(.cancel)) { target in
          let key = newKey()
          let peer = try target.connect()
          try await peer.send(call.opening(key))
          try await target.waitUntil(1, run: key)
          try await peer.send(.cancel(1), .cancel(1))
          try await peer.expectStatus(1, of: call)
          try await target.waitUntil(0, run: key)
          try await peer.proveAlive(as: 3)
          try await peer.finish()
        },
        ServerCase("cancel: \(call.name), in the same write", needs: call.needs.union(.cancel)) {
          target in
          let key = newKey()
          let peer = try target.connect()
          try await peer.send(call.opening(key), .cancel(1))
          try await peer.expectStatus(1, of: call)
          try await target.waitUntil(0, run: key)
          try await peer.finish()
        },
        ServerCase("disconnect: \(call.name)", needs: call.needs) { target in
          let key = newKey()
          var peer: Conversation? = try target.connect()
          try await peer?.send(call.opening(key))
          try await target.waitUntil(1, run: key)
          peer = nil
          try await target.waitUntil(0, run: key)
        },
      ]
    } + [
      dialog("cancel: a Cancel for an unopened or ended call is ignored", needs: .cancel) { peer in
        try await peer.send(.cancel(1), .cancel(0), .cancel(2))
        try await peer.proveAlive(as: 1)
        try await peer.send(.cancel(1), Frame(4, 3, flags: 0xff, [1, 2, 3]))
        try await peer.proveAlive(as: 3)
      },
      dialog("deadline: a timeout of zero means no deadline") { peer in
        // The envelope has an explicit timeout field of zero.
        let envelope = Frame.request(1, "Echo").payload + [0x20, 0x00]
        try await peer.send(Frame(1, 1, envelope))
        try await peer.expect(.response(1, 1))
      },
      dialog("deadline: a timeout of centuries is accepted") { peer in
        try await peer.send(.request(1, "Echo", timeout: .max))
        try await peer.expect(.response(1, 1))
      },
      ServerCase("half close: a running unary call is answered", needs: .halfClose) { target in
        let key = newKey()
        let peer = try target.connect()
        try await peer.send(
          .request(1, "Hold", Proto.integer(1, key), metadata: ["k": "\(key)"]))
        try await target.waitUntil(1, run: key)
        await peer.finishSending()
        try await target.release(key)
        try await peer.expect(.response(1, key))
        try await peer.expectClosed()
        try await peer.finish()
      },
      dialog("half close: a server stream goes on to its end", needs: [.streams, .halfClose]) {
        peer in
        try await peer.send(.request(1, "Many", Proto.integer(1, 20_000), flags: 0x01))
        await peer.finishSending()
        for number in 1...Int64(20_000) {
          let frame = try await peer.next()
          try #require(frame == .data(1, number))
        }
        try await peer.expect(.end(1))
        try await peer.expectClosed()
      },
      ServerCase(
        "half close: a stream that its client had ended is answered", needs: [.streams, .halfClose]
      ) { target in
        let key = newKey()
        let peer = try target.connect()
        try await peer.send(
          .request(1, "Stall", flags: 0x06, metadata: ["k": "\(key)"]),
          Frame(3, 1, Proto.bytes(1, [7])), .end(1))
        try await target.waitUntil(1, run: key)
        await peer.finishSending()
        try await target.release(key)
        try await peer.expect(Frame(3, 1, Proto.bytes(1, [7])), .end(1))
        try await peer.finish()
      },
      dialog(
        "half close: an unfinished client stream is cancelled", needs: [.streams, .halfClose]
      ) { peer in
        try await peer.send(.request(1, "Sum", flags: 0x06), .data(1, 1))
        await peer.finishSending()
        try await peer.expect(code: 1, on: 1)
        try await peer.expectClosed()
      },
      dialog("half close: an idle connection is closed") { peer in
        try await peer.proveAlive(as: 1)
        await peer.finishSending()
        try await peer.expectClosed()
      },
    ]
}

/// A call that runs until something else ends it.
struct WaitingCall: Sendable {
  var name: String
  var method: String
  var needs: Capabilities
  var flags: UInt8
  /// The number of messages that the server sends before the call waits.
  var messages: Int

  func opening(_ key: Int64, timeout: Int64 = 0) -> Frame {
    .request(
      1, method, method == "Hold" ? Proto.integer(1, key) : [], flags: flags, timeout: timeout,
      metadata: ["k": "\(key)"])
  }
}

extension ServerCase {
  /// One waiting call of each shape.
  static let waiting = [
    WaitingCall(name: "a unary call", method: "Hold", needs: [], flags: 0x00, messages: 0),
    WaitingCall(
      name: "a server stream", method: "Watch", needs: .streams, flags: 0x01, messages: 1),
    WaitingCall(
      name: "a client stream", method: "Sum", needs: .streams, flags: 0x06, messages: 0),
    WaitingCall(
      name: "a bidirectional stream", method: "Bidi", needs: .streams, flags: 0x06, messages: 0),
  ]
}

extension Conversation {
  /// Expects stream 1 to end with a status, after at most `call.messages` messages.
  func expectStatus(_ code: Int64, of call: WaitingCall) async throws {
    var messages = 0
    while let frame = try await next(on: 1) {
      guard frame.type == 3 else {
        #expect(try Answer(frame).code == code)
        return #expect(messages <= call.messages)
      }
      messages += 1
    }
    Issue.record("the connection closed without a status")
  }
}
