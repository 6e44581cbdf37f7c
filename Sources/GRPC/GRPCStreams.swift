/// The streams of a connection that are not closed, by id.
final class GRPCStreams {
  /// The streams in ascending order of their ids, in which clients open them.
  private var streams: [GRPCStream] = []

  var isEmpty: Bool { streams.isEmpty }

  /// All ids, in ascending order.
  var ids: [UInt32] { streams.map(\.id) }

  subscript(_ id: UInt32) -> GRPCStream? { index(of: id).map { streams[$0] } }

  /// Adds a stream.
  ///
  /// - Precondition: Its id is the highest one.
  func add(_ stream: GRPCStream) {
    precondition(streams.last.map { $0.id < stream.id } ?? true, "ids of streams ascend")
    streams.append(stream)
  }

  func remove(_ id: UInt32) -> GRPCStream? { index(of: id).map { streams.remove(at: $0) } }

  func removeAll() { streams = [] }

  /// Returns the ids of the streams that satisfy a predicate, in ascending order.
  func ids(where fits: (GRPCStream) -> Bool) -> [UInt32] { streams.filter(fits).map(\.id) }

  /// The stream with the most bytes of messages whose writers wait.
  var greediest: UInt32? {
    var greediest: (id: UInt32, bytes: Int)?
    for stream in streams {
      let bytes = stream.waitingBytes
      if bytes > greediest?.bytes ?? 0 { greediest = (stream.id, bytes) }
    }
    return greediest?.id
  }

  /// Most events are about the stream that was opened last, or about the oldest ones.
  private func index(of id: UInt32) -> Int? {
    guard let last = streams.last else { return nil }
    if last.id == id { return streams.count - 1 }
    var low = 0
    var high = streams.count - 1
    while low < high {
      let middle = (low + high) / 2
      if streams[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return streams[low].id == id ? low : nil
  }
}
