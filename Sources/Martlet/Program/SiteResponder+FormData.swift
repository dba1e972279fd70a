// A form in parts → the page. The page sees the form as application/x-www-form-urlencoded, so one way of reading
// forms is enough.

import MartletBytes
import MartletHTTP
import MartletServer

extension SiteResponder where A: ~Copyable {
  /// Lets the page answer a form in parts, which the page sees as application/x-www-form-urlencoded.
  @inline(never)
  @_lifetime(content: copy content)
  @_lifetime(fields: copy fields)
  mutating func respondToFormData(
    _ page: A.Page, _ match: borrowing RouteMatch, _ request: borrowing IncomingRequest, isAdmitted: Bool,
    _ content: inout Writer, _ fields: inout Writer
  ) -> Status {
    if let refusal = request.refusal(match, approach.scheme, isAdmitted: isAdmitted, isFormData: true) {
      return refuse(request, refusal.status, refusal.reason, &content, &fields)
    }
    var writer = Writer(SiteMemory.formRoom)
    do throws(MultipartRefusal) {
      try FormData.write(request.content, mediaType: request.mediaType, to: &writer)
    } catch {
      SiteMemory.wipeForm(writer.count)
      return refuse(request, error.status, error.reason, &content, &fields)
    }
    let count = writer.count
    let form = IncomingRequest(
      octets: request.octets, head: request.head, content: SiteMemory.form(count), moment: request.moment,
      connection: request.connection, peer: request.peer)
    let status: Status
    if A._hasSessions {
      var storage = memory.session
      status = enter(page, match, form, &storage, &content, &fields)
    } else {
      status = enterWithoutSession(page, match, form, &content, &fields)
    }
    SiteMemory.wipeForm(count)
    return status
  }
}
