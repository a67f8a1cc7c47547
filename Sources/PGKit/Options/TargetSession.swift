/// Which kind of server a connection wants among several hosts: `target_session_attrs`.
///
/// Source: PostgreSQL manual, "Parameter Key Words".
public enum TargetSession: String, Sendable, CaseIterable {
  /// Whichever answers.
  case any
  /// One that accepts read-write transactions by default.
  case readWrite = "read-write"
  /// One that does not.
  case readOnly = "read-only"
  /// One that is not in recovery.
  case primary
  /// One that is in recovery.
  case standby
  /// A standby if there is one, else any.
  case preferStandby = "prefer-standby"
}
