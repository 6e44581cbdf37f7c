import FoundationEssentials
import MockupClient
import TestSupport
import Testing

/// A load of one-credit reservations, each sent once under its own id, until the server is gone.
struct DrainLoad: Sendable {
  typealias Outcomes = [String: RPCError?]

  private static let connections = 6
  private static let callsPerConnection = 24
  private static let newConnectionCallers = 4
  private static let lateReaders = 4

  let user: UUID
  let socket: String
  /// Runs after each successful call.
  let onAnswer: @Sendable () -> Void

  /// Makes calls until the server refuses one, and then one more.
  ///
  /// - Parameter stopping: Returns when the server has begun to stop.
  /// - Returns: The error of each call, or `nil` if it succeeded, by reservation id.
  func run(_ stopping: @escaping @Sendable () async throws -> Void) async throws -> Outcomes {
    try await withThrowingTaskGroup(of: Outcomes.self) { group in
      for _ in 0..<Self.connections {
        let client = Client(path: socket)
        for _ in 0..<Self.callsPerConnection { group.addTask { await callUntilRefused { client } } }
      }
      for _ in 0..<Self.newConnectionCallers {
        group.addTask { await callUntilRefused { Client(path: socket) } }
      }
      for _ in 0..<Self.lateReaders { group.addTask { try await readLate(stopping) } }
      return try await group.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first }
      }
    }
  }

  private func callUntilRefused(_ makeClient: () -> Client) async -> Outcomes {
    var outcomes: Outcomes = [:]
    var refusals = 0
    while refusals < 2 {
      let id = UUID().wireText
      let request = ReserveCreditsRequest(userID: user.wireText, credits: 1, reservationID: id)
      do {
        _ = try await CreditServiceClient(makeClient()).reserveCredits(request)
        outcomes.updateValue(nil, forKey: id)
        onAnswer()
      } catch {
        outcomes.updateValue(error, forKey: id)
        refusals += 1
      }
    }
    return outcomes
  }

  /// Sends many calls at once and reads no response before the server stops.
  private func readLate(_ stopping: () async throws -> Void) async throws -> Outcomes {
    let ids = (0..<120).map { _ in UUID().wireText }
    let lost = RPCError(code: .unavailable, message: "the server closed the connection")
    var outcomes = Outcomes(uniqueKeysWithValues: ids.map { ($0, lost) })
    let peer: RawPeer
    do {
      peer = try RawPeer(path: socket)
      try await peer.send(
        ids.enumerated().flatMap { Self.frame(UInt8(2 * $0 + 1), user, id: $1) })
    } catch {
      // The server stopped first.
      return outcomes
    }
    try await stopping()
    while let frame = try await peer.receiveFrame() {
      let id = ids[Int(frame[7]) / 2]
      outcomes.updateValue(try RawCall.error(in: frame), forKey: id)
    }
    return outcomes
  }

  /// Encodes a call that reserves one credit.
  static func frame(_ streamID: UInt8, _ user: UUID, id: String) -> [UInt8] {
    RawCall.frame(
      streamID, "ReserveCredits",
      RawCall.bytes(1, user.wireText.utf8) + RawCall.varint(2, 1) + RawCall.bytes(3, id.utf8))
  }
}
