// A request that is refused → an error page: the application's own, problem details, or the library's. The reason
// of an error of 500 and above is logged.

import MartletBytes
import MartletHTTP
import MartletServer

extension SiteResponder where A: ~Copyable {
  /// Writes an error page in place of a page whose text or headers do not fit.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func writeOverflow(
    _ request: borrowing IncomingRequest, from fieldsStart: Int, _ content: inout Writer,
    _ fields: inout Writer
  ) -> Status {
    dropBegun(request)
    outcome.kind = .written
    content.truncate(to: 0)
    fields.truncate(to: fieldsStart)
    if A.hasFirstFields {
      writeFirstFields(request, outcome.page.flatMap { A.Page(rawValue: $0) }, &fields)
    }
    let reason: StaticString =
      PageText.isMisused
      ? "A bug: this page puts a value where none can stand."
      : "What this page wanted to say does not fit this device's memory."
    return refuse(request, .internalServerError, reason, &content, &fields)
  }

  /// Writes an error page with its headers.
  ///
  /// - Returns: The status, for the caller to return.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func refuse(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: StaticString,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    refuse(request, status, reason.octets, &content, &fields)
  }

  /// Writes an error page with its headers, for a reason that is no literal.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func refuse(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if A._logsErrors { log(request, status, reason) }
    if A._hasErrorPages || A.hasProgramPages {
      writeOwnError(request, status, reason, &content, &fields)
      fields.append("Cache-Control: no-store\r\n")
    } else {
      writeErrorPage(status, reason, &content)
      RefusalPage.writeFields(to: &fields)
    }
    return status
  }

  /// Writes an error page, with a link to `/` where a page answers GET there.
  @inline(never)
  @_lifetime(content: copy content)
  mutating func writeErrorPage(_ status: Status, _ reason: Span<UInt8>, _ content: inout Writer) {
    let home: StaticString = "/"
    RefusalPage.write(
      status, reason, home: A.isAnsweredByGET(home.octets) ? home : "",
      below: PageText.prefix, to: &content)
  }

  /// Writes the error page that a page has asked for. Its other headers come with the answer's headers.
  ///
  /// - Parameter reason: The text that the page has written, at the start of `content`.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func writeRefusal(
    _ request: borrowing IncomingRequest, _ status: Status, _ content: inout Writer,
    _ fields: inout Writer
  ) {
    var reason = FixedBuffer<512>()
    if content.count <= Limits.reasonSizeMax { reason.append(content.span) }
    content.truncate(to: 0)
    if A._logsErrors { log(request, status, reason.span) }
    if A._hasErrorPages || A.hasProgramPages {
      writeOwnError(request, status, reason.span, &content, &fields)
    } else {
      writeErrorPage(status, reason.span, &content)
      fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
  }

  /// Lets the application write an error page. A program that asks for JSON gets problem details.
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func writeOwnError(
    _ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>,
    _ content: inout Writer, _ fields: inout Writer
  ) {
    let headers = request.head.fields(in: request.octets)
    if headers.htmlPreference == .excluded || outcome.isForPrograms && headers.htmlPreference == .possible {
      fields.append("Content-Type: application/problem+json\r\n")
      return ProblemDetails.write(status, reason, to: &content)
    }
    guard A._hasErrorPages else {
      writeErrorPage(status, reason, &content)
      return fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
    let response = Response<A>(
      fields: fields.remainder, session: Session(), memory, isForEveryone: false, isSecure: false,
      isErrorPage: true)
    PageText.begin(in: content.roomSpan)
    let answer = site._errorPage(
      ErrorPage(status, EscapedText(reason)), view(request, RouteMatch.none, Visitor()), response)
    PageText.end()
    // An error page of the application that fails is replaced by the library's error page.
    guard case .none = answer.action, case .written = answer.content, answer.status == status,
      !answer.overflowed
    else {
      if A._hasFiles, case .file(let file) = answer.content { drop(file) }
      writeErrorPage(status, reason, &content)
      return fields.append("Content-Type: text/html; charset=utf-8\r\n")
    }
    content.advance(by: answer.contentCount)
    fields.advance(by: answer.fieldsCount)
  }

  /// Logs the answer to a request.
  ///
  /// - Parameter reason: Why the request is refused; empty where there is no reason.
  @inline(never)
  mutating func log(_ request: borrowing IncomingRequest, _ status: Status, _ reason: Span<UInt8>) {
    let isError = status.code >= 500
    guard isError || A._logsRequests, !isUnfinished else { return }
    outcome.isLogged = true
    var line = LogLine(isError ? .error : .info, isError ? "request_failed" : "request")
    line.add(request.head.fields(in: request.octets).client(peer: request.peer, trusting: .loopback))
    line.add("method", text: request.head.method.name)
    line.add("path", text: request.octets[request.head.target.path])
    line.add("status", Int(status.code))
    if isError, !reason.isEmpty { line.add("reason", text: reason) }
    line.write()
  }
}
