/// The notifications of an ``AsyncConnection``, one after the other.
///
/// The connection can be used between them, and while they are waited for.
public struct AsyncNotifications: AsyncSequence, Sendable {
  private let connection: AsyncConnection

  init(_ connection: AsyncConnection) { self.connection = connection }

  /// Takes one notification after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private let connection: AsyncConnection
    private var taken: [PGNotification] = []
    private var position = 0

    fileprivate init(_ connection: AsyncConnection) { self.connection = connection }

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
      if position == taken.count {
        guard let more = try await connection.awaitNotifications() else { return nil }
        (taken, position) = (more, 0)
      }
      defer { position += 1 }
      return taken[position]
    }
  }

  /// Begins with what has not been taken.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection) }
}

extension AsyncConnection {
  /// Listens on channels and gives what arrives on this connection.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func listen(_ channels: String...) async throws(PGError) -> AsyncNotifications {
    try await perform { connection throws(PGError) in try connection.listen(channels) }
    return AsyncNotifications(self)
  }

  /// Ends listening on channels.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func unlisten(_ channels: String...) async throws(PGError) {
    try await perform { connection throws(PGError) in try connection.unlisten(channels) }
  }

  /// Waits for notifications; the thread does what else there is to do meanwhile.
  ///
  /// - Returns: At least one; `nil` when the connection was closed.
  fileprivate func awaitNotifications() async throws(PGError) -> [PGNotification]? {
    let queue = thread.queue
    while true {
      if Task.isCancelled { throw .taskIsCancelled }
      let list: [PGNotification]
      do throws(PGError) { list = try connection.notifications(until: .after(.zero)) } catch {
        // Closed here, it ends; lost, it is told why, after all that had come.
        if error.code == .connectionDoesNotExist { return nil }
        throw error
      }
      if !list.isEmpty { return list }
      // A cancelled task has to be woken: a job of any kind does that.
      let failure = await withTaskCancellationHandler { () -> PGError? in
        let socket = DescriptorWatch(connection.fileDescriptor, .readable)
        do throws(PGError) {
          try queue.wait { wakening throws(PGError) in
            _ = try Syscalls.wait(forAny: [socket, wakening], until: .never)
          }
        } catch { return error }
        await Task.yield()
        return nil
      } onCancel: {
        Task { await self.wake() }
      }
      if let failure { throw failure }
    }
  }

  /// Being called is all that it is for.
  private func wake() {}
}
