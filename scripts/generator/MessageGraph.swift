import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The containment relation of messages.
struct MessageGraph {
  /// The messages that each message can contain, at any depth.
  private var reachable: [String: Set<String>] = [:]
  /// The messages with a field that protobuf-c merges if it occurs twice.
  private var merging: Set<String> = []

  init(_ messages: [Descriptor]) {
    var direct: [String: Set<String>] = [:]
    for message in messages {
      let fields = message.fields.filter { $0.type == .message }
      direct[message.fullName] = Set(fields.map(\.messageType.fullName))
      if fields.contains(where: { !$0.isRepeated && $0.realContainingOneof == nil }) {
        merging.insert(message.fullName)
      }
    }
    for name in direct.keys {
      var found: Set<String> = []
      var open = direct[name, default: []]
      while let next = open.popFirst() {
        guard found.insert(next).inserted else { continue }
        open.formUnion(direct[next, default: []])
      }
      reachable[name] = found
    }
  }

  /// Returns true if the message `start` is `end` or may contain it.
  func reaches(from start: String, to end: String) -> Bool {
    start == end || reachable[start, default: []].contains(end)
  }

  /// Returns true if the message is recursive, or may have a singular submessage that occurs twice.
  func needsScan(_ name: String) -> Bool {
    let all = reachable[name, default: []].union([name])
    return !all.isDisjoint(with: merging)
      || all.contains { reachable[$0, default: []].contains($0) }
  }
}
