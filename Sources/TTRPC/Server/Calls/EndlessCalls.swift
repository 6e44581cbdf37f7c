/// The endless calls of a connection that have not ended.
struct EndlessCalls {
  private(set) var count = 0
  /// The calls by method, the oldest first.
  private var byMethod: [MethodDescriptor: [ServerCall]] = [:]

  /// The oldest call of the method that has the most calls, so that a method with many calls does
  /// not displace those of others.
  var oldestOfMostFrequent: ServerCall? {
    byMethod.values.max { $0.count < $1.count }?.first
  }

  mutating func append(_ call: ServerCall) {
    byMethod[call.method, default: []].append(call)
    count += 1
  }

  mutating func remove(_ call: ServerCall) {
    guard let index = byMethod[call.method]?.firstIndex(where: { $0 === call }) else { return }
    byMethod[call.method]?.remove(at: index)
    count -= 1
  }
}
