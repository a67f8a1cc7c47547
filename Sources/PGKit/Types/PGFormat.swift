/// How a value travels: as text, or in the type's binary form.
public enum PGFormat: Int16, Sendable, Hashable {
  /// The type's text form, in the session's client encoding.
  case text = 0
  /// The type's binary form, as its `…send` and `…recv` functions define it.
  case binary = 1
}
