import Testing

extension ServerCase {
  /// The recorded exchanges, byte for byte.
  static let recorded: [ServerCase] =
    Recorded.all.map { exchange in
      dialog("recorded: \(exchange.name)", needs: exchange.isStream ? .streams : []) { peer in
        try await peer.send(bytes: exchange.sent)
        try await peer.expect(exchange.received)
      }
    } + [
      dialog("recorded: all exchanges on one connection", needs: .streams) { peer in
        for exchange in Recorded.all {
          try await peer.send(bytes: exchange.sent)
          try await peer.expect(exchange.received)
        }
      }
    ]
}
