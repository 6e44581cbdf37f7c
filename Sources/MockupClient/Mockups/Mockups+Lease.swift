internal import MockupAPI
internal import TTRPC

extension Mockups {
  /// Runs a closure, and renews its mockup's lease until the closure returns.
  ///
  /// If the lease is lost, the closure's task is cancelled. The closure's result is returned in any
  /// case.
  ///
  /// - Returns: The closure's result, and true if the lease was lost.
  func whileRenewing<Value: Sendable>(
    _ claimed: ClaimedMockup, _ lease: Duration, _ body: @escaping @Sendable () async -> Value
  ) async -> (Value, isLost: Bool) {
    // The closure has an unstructured task, so that it can be cancelled by itself.
    let running = Task { await body() }
    return await withTaskCancellationHandler {
      let renewing = Task {
        let isLost = await isLostWhileRenewing(claimed, lease)
        running.cancel()
        return isLost
      }
      let value = await running.value
      renewing.cancel()
      return (value, await renewing.value)
    } onCancel: {
      running.cancel()
    }
  }

  /// Renews a lease until it is lost or the task is cancelled.
  ///
  /// - Returns: True if the lease was lost: the server has refused to renew it, or it may have
  ///   expired.
  private func isLostWhileRenewing(_ claimed: ClaimedMockup, _ lease: Duration) async -> Bool {
    var end = ContinuousClock.now + lease
    var pause = lease / 3
    while (try? await Task.sleep(for: pause)) != nil {
      let sent = ContinuousClock.now
      do throws(RPCError) {
        _ = try await limited(to: end - sent).heartbeat(claimed, lease: lease)
        end = sent + lease
        pause = lease / 3
      } catch {
        guard !Task.isCancelled else { break }
        guard !error.code.isRefusal, ContinuousClock.now < end else { return true }
        pause = min(lease / 10, .seconds(1))
      }
    }
    return false
  }

  /// Returns a copy whose calls have at most the given timeout.
  private func limited(to timeout: Duration) -> Mockups {
    var options = options
    options.timeout = min(options.timeout ?? timeout, max(timeout, .milliseconds(1)))
    return Mockups(stub: stub, options: options, retry: retry, shielded: shielded)
  }
}
