import PGKit
import PGTestCluster
import Testing

/// Advisory locks behind a network that loses what is sent without a word.
@Suite(
  "Advisory locks, a network that swallows everything",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: NetworkScene.canBeMade, "this user may not make networks (ip netns)"))
struct AdvisoryLockNetworkTests {
  /// What has either side notice soon: after about four seconds.
  private static let watched =
    "keepalives_idle=1&keepalives_interval=1&keepalives_count=3&tcp_user_timeout=3000"
  private static let watchedByServer = """
    SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 3000
    """
  /// The four seconds, and what a busy machine takes.
  private static let patience = Duration.seconds(40)

  @Test("is held until something is tried, and by the server until it misses the client")
  func idle() throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    let db = try scene.connect(Self.watched)
    try db.execute(Self.watchedByServer)
    let lock = AdvisoryLock(db, 42)
    try lock.acquire()
    try scene.cut(.both)
    // Nobody knows yet.
    #expect(lock.isLocked)
    let theirs = AdvisoryLock(scene.db, 42)
    #expect(try !theirs.acquire(blocking: false))
    let error = #expect(throws: PGError.self) {
      try db.execute("SELECT 1", until: .after(.milliseconds(500)))
    }
    #expect(error?.isTimeout == true)
    #expect(!lock.isLocked)
    let begin = ContinuousClock.now
    try theirs.acquire()
    #expect(ContinuousClock.now - begin < Self.patience)
    try theirs.release()
    // Releasing what was lost only counts.
    try lock.release()
    #expect(throws: PGError.self) { try lock.acquire() }
  }

  @Test("asking for one ends when the network is found to be gone, and the others are free")
  func asking() throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    let theirs = AdvisoryLock(scene.db, 42)
    try theirs.acquire()
    let db = try scene.connect(Self.watched)
    try db.execute(Self.watchedByServer)
    let other = AdvisoryLock(db, 43)
    try other.acquire()
    try scene.cut(.both)
    let begin = ContinuousClock.now
    let error = #expect(throws: PGError.self) { try AdvisoryLock(db, 42).acquire() }
    #expect(ContinuousClock.now - begin < Self.patience)
    #expect(error?.fault == .transport)
    #expect(!other.isLocked)
    // The server never heard of the question, and misses who holds the other one.
    let free = AdvisoryLock(scene.db, 43)
    try free.acquire()
    #expect(ContinuousClock.now - begin < Self.patience)
    try free.release()
    try theirs.release()
  }
}
