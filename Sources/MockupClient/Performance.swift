public import FoundationEssentials
public import MockupAPI
public import TTRPC
public import TimeOrderedID

/// The pins and impressions of mockups, which only grow.
///
/// They travel in batches, each of which counts once, however often it is sent.
public struct Performance: Sendable {
  let stub: MockupServiceClient
  let options: CallOptions
  /// How a stream is sent again; single calls are retried by the connection.
  let retry: RetryPolicy
  /// For what a recorder was given.
  let shielded: ShieldedCalls

  /// Counts up to 1000 entries.
  ///
  /// - Parameter batch: Under which the call can be sent again.
  public func record(
    _ entries: [PerformanceEntry], batch: UUID = .timeOrdered()
  ) async throws(RPCError) -> RecordPerformanceResponse {
    let request = RecordPerformanceRequest(batchID: batch.wireText, entries: entries)
    return try await stub.recordPerformance(request, options: options)
  }

  /// Counts batches of up to 1000 entries each, in one call. They are counted when it returns; where it
  /// throws, some may be, and the same batches can be sent again.
  ///
  /// A server that is away is tried again, as the client's configuration says. All batches together
  /// should stay below 4 MiB: the server bounds how much of a stream may wait.
  public func record(
    _ batches: [StreamPerformanceRequest]
  ) async throws(RPCError) -> StreamPerformanceResponse {
    var attempt = 1
    while true {
      do throws(RPCError) {
        return try await stream(batches)
      } catch {
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

  /// Runs a closure with a recorder, and counts all that it was given, also where the closure throws or
  /// the caller's task is cancelled.
  ///
  /// - Throws: What the closure throws; ``RPCError`` where not all could be counted.
  public func withRecorder<Value>(
    _ body: (PerformanceRecorder) async throws -> Value
  ) async throws -> (value: Value, summary: PerformanceSummary) {
    let recorder = PerformanceRecorder(
      Performance(stub: stub, options: options.bounded, retry: retry, shielded: shielded))
    let value: Value
    do {
      value = try await body(recorder)
    } catch {
      // Where counting fails too, the closure's error says more.
      _ = try? await counted(by: recorder)
      throw error
    }
    return (value, try await counted(by: recorder))
  }

  private func counted(
    by recorder: PerformanceRecorder
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
      throw RPCError(code: .unknown, message: "the batches were not sent", cause: error)
    }
  }
}
