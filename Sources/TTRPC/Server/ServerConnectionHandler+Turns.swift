internal import NIOCore

extension ServerConnectionHandler {
  /// Lets the other connections have their turn before more frames of this one are taken. Until then
  /// nothing is read either, so that what waits is no more than one turn has read.
  func pauseReading() {
    guard let context, pause == nil else { return }
    setReading(false)
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    // The loop runs all tasks that are due before it looks at its sockets; one that is not due yet
    // makes it look.
    pause = context.eventLoop.scheduleTask(in: Self.pauseTime) { this.value.resumeReading() }
  }

  private func resumeReading() {
    pause = nil
    guard let context, context.channel.isActive else { return }
    takeFrames()
    turnEnded()
    guard pause == nil else { return }
    setReading(true)
    endInput()
  }

  private func setReading(_ isOn: Bool) {
    // Only a channel that is closed refuses.
    try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn)
  }

  private static let pauseTime: TimeAmount = .microseconds(50)
}
