public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The calls that add pins and impressions to mockups.
///
/// Entries are sent in batches. A batch is counted once, even if it is sent several times.
public struct Performance: Sendable {
  let stub: MockupServiceClient
  let options: CallOptions
  /// The policy for retrying streams; unary calls are retried by the connection.
  let retry: RetryPolicy
  /// Sends the batches of recorders, even if the caller's task is cancelled.
  let shielded: ShieldedCalls

  /// Counts a batch of entries.
  ///
  /// - Parameters:
  ///   - entries: Up to 1000 entries. An entry that cannot be counted, for example because its
  ///     mockup is unknown, is reported in the response and does not affect the others.
  ///   - batch: The id of the batch, which is the idempotency key of the call.
  public func record(
    _ entries: [PerformanceEntry], batch: UUID = .timeOrdered()
  ) async throws(RPCError) -> RecordPerformanceResponse {
    let request = RecordPerformanceRequest(batchID: batch.wireText, entries: entries)
    return try await stub.recordPerformance(request, options: options)
  }

  /// Counts several batches of up to 1000 entries each in one call.
  ///
  /// All batches have been counted when the call returns. If it throws, some may have been counted;
  /// the same batches can be sent again. The call is retried by the policy of the client's
  /// configuration.
  ///
  /// All batches together should be smaller than 4 MiB, because the server limits the bytes of a
  /// stream that wait to be processed.
  public func record(
    _ batches: [StreamPerformanceRequest]
  ) async throws(RPCError) -> StreamPerformanceResponse {
    var attempt = 1
    var isUncertain = false
    while true {
      do throws(RPCError) {
        return try await stream(batches)
      } catch let last {
        let error = isUncertain ? last.afterUncertainAttempt : last
        isUncertain = isUncertain || last.mayHaveEffect
        guard let pause = retry.pause(afterAttempt: attempt, error) else { throw error }
        do {
          try await Task.sleep(for: pause)
        } catch {
          throw RPCError(code: .cancelled, message: "the caller was cancelled", cause: error)
        }
        attempt += 1
      }
    }
  }

  /// Runs a closure with a recorder, and counts everything that was added to it.
  ///
  /// The recorder is flushed even if the closure throws or the caller's task is cancelled.
  ///
  /// - Returns: The closure's result, and the totals of the recorder.
  /// - Throws: Any error of the closure; `RPCError` if not everything could be counted.
  public func withRecorder<Value>(
    _ body: (PerformanceRecorder) async throws -> Value
  ) async throws -> (value: Value, summary: PerformanceSummary) {
    let recorder = PerformanceRecorder(
      Performance(stub: stub, options: options.bounded, retry: retry, shielded: shielded))
    let value: Value
    do {
      value = try await body(recorder)
    } catch {
      // If the flush fails too, the closure's error is the more useful one.
      _ = try? await flush(recorder)
      throw error
    }
    return (value, try await flush(recorder))
  }

  private func flush(
    _ recorder: PerformanceRecorder
  ) async throws(RPCError) -> PerformanceSummary {
    try await shielded.run { () async throws(RPCError) in try await recorder.flush() }
  }

  private func stream(
    _ batches: [StreamPerformanceRequest]
  ) async throws(RPCError) -> StreamPerformanceResponse {
    do {
      return try await stub.streamPerformance(options: options) { writer in
        for batch in batches { try await writer.write(batch) }
      }
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(code: .unknown, message: "cannot send the batches", cause: error)
    }
  }
}
