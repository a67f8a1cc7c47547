/// The notifications of an ``AsyncConnection`` on some channels, one after the other.
///
/// The connection can be used between them, and while they are waited for. What a loop has not taken
/// when it is left stays with the connection, for the next one. Each notification is given once: loops over
/// the same channel share what comes.
public struct AsyncNotifications: AsyncSequence, Sendable {
  private let connection: AsyncConnection
  /// None are all.
  private let channels: Set<String>

  init(_ connection: AsyncConnection, _ channels: [String]) {
    self.connection = connection
    self.channels = Set(channels)
  }

  /// Takes one notification after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let connection: AsyncConnection
    fileprivate let channels: Set<String>

    /// The next notification, waiting for it; `nil` when the connection was closed here.
    ///
    /// - Throws: ``PGError`` when the connection is lost; 53000, once, when more than 64 MiB waited to be
    ///   taken and the oldest were dropped; 57014 if the task is cancelled.
    public mutating func next() async throws(PGError) -> PGNotification? {
      try await next(isolation: nil)
    }

    /// The next notification, waiting for it; `nil` when the connection was closed here.
    ///
    /// - Throws: ``PGError`` as ``next()``.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(PGError) -> PGNotification? {
      // What is cancelled takes nothing that another could have.
      if !Task.isCancelled, let next = try connection.takeNotification(channels) { return next }
      return try await connection.awaitNotification(channels)
    }
  }

  /// Begins with what has not been taken.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(connection: connection, channels: channels)
  }
}

extension AsyncConnection {
  /// Listens on channels, whose names are taken exactly as they are, and gives what arrives on them; without
  /// any, what arrives on all on which this connection listens already.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func listen(_ channels: String...) async throws(PGError) -> AsyncNotifications {
    try await perform { connection throws(PGError) in try connection.listen(channels) }
    return AsyncNotifications(self, channels)
  }

  /// Ends listening on channels.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func unlisten(_ channels: String...) async throws(PGError) {
    try await perform { connection throws(PGError) in try connection.unlisten(channels) }
  }

  /// Takes one that has arrived.
  fileprivate nonisolated func takeNotification(
    _ channels: Set<String>
  ) throws(PGError) -> PGNotification? {
    try requireLease()
    return try shelf.take(from: channels)
  }

  /// Waits for a notification; the thread does what else there is to do meanwhile.
  ///
  /// One task watches the socket for all that wait.
  ///
  /// - Returns: `nil` when the connection was closed.
  fileprivate func awaitNotification(
    _ channels: Set<String>
  ) async throws(PGError) -> PGNotification? {
    do throws(PGError) {
      while true {
        if let next = try findNotification(channels) { return next }
        if !isWatched {
          // Before the call, at which others may come in between.
          isWatched = true
          return try await watch(for: channels)
        }
        await waitForWatcher(unlessFor: channels)
      }
    } catch {
      // Closed here, it ends; lost, it is told why.
      if error.code == .connectionDoesNotExist { return nil }
      throw error
    }
  }

  /// Takes a notification, if there is one.
  ///
  /// - Throws: ``PGError`` 57014 if the task is cancelled; `--OPE` if the session is somebody else's now;
  ///   when the connection is lost.
  private func findNotification(_ channels: Set<String>) throws(PGError) -> PGNotification? {
    if Task.isCancelled { throw .taskIsCancelled }
    // What came before the connection was lost comes before the news of that.
    if let next = try takeNotification(channels) { return next }
    try receiveNotifications()
    return try takeNotification(channels)
  }

  /// Puts what has come on the shelf, and tells all who wait: it may be for any of them.
  private func receiveNotifications() throws(PGError) {
    let list: [PGNotification]
    if connection.running?.isWanted == true {
      // What another task receives is not touched: what came in between is taken, and nothing else.
      list = try connection.takeReceivedNotifications()
    } else {
      dropUnwanted()
      list = try connection.notifications(until: .after(.zero))
    }
    if list.isEmpty { return }
    shelf.put(list)
    watchers.callAll(())
  }

  /// Waits for a notification, for all that wait for one.
  private func watch(for channels: Set<String>) async throws(PGError) -> PGNotification {
    defer {
      isWatched = false
      // All: the first alone may be about to leave as well.
      watchers.callAll(())
    }
    while true {
      if let next = try await look(for: channels) { return next }
    }
  }

  /// Takes a notification that is there; otherwise waits until the server says something, or there is
  /// something else to do on the thread.
  private func look(for channels: Set<String>) async throws(PGError) -> PGNotification? {
    // A cancelled task has to be woken: a job of any kind does that.
    let outcome = await withTaskCancellationHandler {
      () -> Swift.Result<PGNotification?, PGError> in
      // Looked for, and waited for, in one: what another task has received on the way to here is not heard
      // from the socket again.
      do throws(PGError) {
        if let next = try findNotification(channels) { return .success(next) }
        // While rows arrive for another task, what the socket says is for that one; its next step is
        // something to do.
        let isBusy = connection.running != nil
        let socket = DescriptorWatch(isBusy ? -1 : connection.fileDescriptor, .readable)
        try thread.queue.wait { wakening throws(PGError) in
          _ = try Syscalls.wait(forAny: [socket, wakening], until: .never)
        }
      } catch { return .failure(error) }
      await Task.yield()
      return .success(nil)
    } onCancel: {
      Task { await self.wake() }
    }
    return try outcome.get()
  }

  /// Waits until the task that watches has seen something, or leaves; not at all for what is there.
  private func waitForWatcher(unlessFor channels: Set<String>) async {
    let number = watchers.draw()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // It may have left since somebody looked, or have brought something.
        if isWatched, !shelf.has(channels), !Task.isCancelled {
          watchers.append(number, (), continuation)
        } else {
          continuation.resume()
        }
      }
    } onCancel: {
      Task { await self.wake(number) }
    }
  }

  /// Being called is all that it is for.
  private func wake() {}

  private func wake(_ number: Int) { watchers.call(number, ()) }
}
