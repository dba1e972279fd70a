import Martlet

struct Person: SessionUser {  // unless: struct Person
  var id: UserID  // unless: struct Person
  var roles: Roles = .none  // unless: struct Person
}  // unless: struct Person

@snippet@
