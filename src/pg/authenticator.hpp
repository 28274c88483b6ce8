// The authenticator as the catalogs know it: the role that workers are connected as.
#pragma once

namespace pgrst::pg {

// Whether it has the rights of a role that it is a member of without taking that role. Runs a
// transaction.
void px_authenticator_inherits(bool* inherits);

}  // namespace pgrst::pg
