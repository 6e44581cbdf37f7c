import FoundationEssentials
import MockupClient

/// Reserves credits, commits them, and waits until one of the user's mockups is completed.
@main struct Sample {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 2, let socket = arguments.first, let last = arguments.last,
      let user = UUID(uuidString: last)
    else { fatalError("usage: sample SOCKET USER") }
    try await MockupClient.withConnection(to: .unixSocket(path: socket)) { client in
      try await spend(client, user)
      try await watch(client, user)
    }
  }

  static func spend(_ client: MockupClient, _ user: UUID) async throws {
    // Pass an id that is stored with the work if a run may begin again after a crash.
    let settled = try await client.credits.withReservation(for: user, credits: 3) { reservation in
      print("reserved \(reservation.credits) credits")
      // The paid work happens here. The vendor charged 2 credits; the commit releases the third.
      return .commit(credits: 2, ())
    }
    print("committed \(settled.committed) credits, \(settled.remaining) remaining")
  }

  static func watch(_ client: MockupClient, _ user: UUID) async throws {
    for try await event in client.mockups.watch(of: user, startsWithCurrent: true) {
      if case .changed(let mockup) = event.change, mockup.status == .completed {
        print("\(mockup.scene): \(mockup.fileURL)")
        return
      }
    }
  }
}
