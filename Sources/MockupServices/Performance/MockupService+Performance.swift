public import MockupAPI
internal import MockupDatabase
internal import Postgres
public import TTRPC

extension MockupService {
  /// The maximum number of batches of one stream that are in flight.
  ///
  /// The stream is not read while this many batches are being counted.
  private static var maxBatchesInFlight: Int { 128 }

  /// Counts a batch of pins and impressions.
  public func recordPerformance(
    _ request: RecordPerformanceRequest, context: ServerContext
  ) async throws -> RecordPerformanceResponse {
    let batch = try PerformanceFields.batch(request.batchID, request.entries)
    let recorded = try await answer(context) { () throws(PostgresError) in
      try await performance.record(batch)
    }
    return RecordPerformanceResponse(try recorded.outcome(of: batch))
  }

  /// Counts a stream of batches, and responds when all have been counted.
  public func streamPerformance(
    _ requests: MessageStream<StreamPerformanceRequest>, context: ServerContext
  ) async throws -> StreamPerformanceResponse {
    try await withThrowingTaskGroup(of: CountedBatch.self) { counting in
      var total = PerformanceTotal()
      var taken = 0
      do {
        while let request = try await requests.next() {
          if taken - total.batches >= Self.maxBatchesInFlight, let next = try await counting.next()
          {
            try total.add(next)
          }
          let batch = try PerformanceFields.batch(request.batchID, request.entries)
          counting.addTask { [performance, ordinal = taken] in
            try await answer(context) { () throws(PostgresError) in
              CountedBatch(
                ordinal: ordinal, batch: batch, answer: try await performance.record(batch))
            }
          }
          taken += 1
        }
        for try await next in counting { try total.add(next) }
        return total.response
      } catch let error as RPCError where taken > 1 {
        throw error.ofOneBatch
      }
    }
  }
}

extension RPCError {
  /// The error of a stream for the error of one of its batches.
  fileprivate var ofOneBatch: RPCError {
    guard details.contains(.noEffect) else { return self }
    var error = self
    error.details.removeAll { $0 == .noEffect }
    error.message = "other batches may have been counted, and one was not: \(message)"
    return error
  }
}
