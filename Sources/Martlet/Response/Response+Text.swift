// Answers that are JSON or plain text.

public import MartletHTTP

extension Response where Site: ~Copyable {
  /// Answers with JSON (`application/json`, RFC 8259 §11). A misuse of the interpolation makes the answer a
  /// 500.
  public consuming func json(_ piece: JSONText) -> Answer { json(.ok, piece) }

  /// Answers with JSON and a status.
  public consuming func json(_ status: Status, _ piece: JSONText) -> Answer {
    var body = self.body(status, mediaType: "application/json")
    body.write(json: piece)
    return body.end()
  }

  /// Answers with plain text (`text/plain; charset=utf-8`).
  public consuming func plain(_ piece: Plain) -> Answer { plain(.ok, piece) }

  /// Answers with plain text and a status.
  public consuming func plain(_ status: Status, _ piece: Plain) -> Answer {
    var body = self.body(status, mediaType: "text/plain; charset=utf-8")
    body.write(plain: piece)
    return body.end()
  }
}
