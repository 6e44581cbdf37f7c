internal import MockupAPI
internal import TTRPC

extension Mockups {
  /// Runs a closure, and renews its mockup's lease until the closure returns.
  ///
  /// If the lease is lost, the closure's task is cancelled. The closure's result is returned in any
  /// case.
  func whileRenewing<Value: Sendable>(
    _ claimed: ClaimedMockup, _ lease: Duration, _ body: @escaping @Sendable () async -> Value
  ) async -> Value {
    // The closure has an unstructured task, so that it can be cancelled by itself.
    let running = Task { await body() }
    return await withTaskCancellationHandler {
      let renewing = Task {
        await renew(claimed, lease)
        running.cancel()
      }
      let value = await running.value
      renewing.cancel()
      return value
    } onCancel: {
      running.cancel()
    }
  }

  /// Renews a lease until it is lost or the task is cancelled.
  private func renew(_ claimed: ClaimedMockup, _ lease: Duration) async {
    var end = ContinuousClock.now + lease
    var pause = lease / 3
    while (try? await Task.sleep(for: pause)) != nil {
      let sent = ContinuousClock.now
      do throws(RPCError) {
        _ = try await limited(to: end - sent).heartbeat(claimed, lease: lease)
        end = sent + lease
        pause = lease / 3
      } catch {
        // A lease that may have expired counts as lost.
        guard error.isTransient, ContinuousClock.now < end else { return }
        pause = min(lease / 10, .seconds(1))
      }
    }
  }

  /// Returns a copy whose calls have at most the given timeout.
  private func limited(to timeout: Duration) -> Mockups {
    var options = options
    options.timeout = min(options.timeout ?? timeout, max(timeout, .milliseconds(1)))
    return Mockups(stub: stub, options: options, retry: retry, shielded: shielded)
  }
}
