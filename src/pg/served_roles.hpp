// The roles that a request may run as, and a sum over what the schema cache holds of them.
//
// Counted are the session user and the role that requests come from (the same, but in
// pgrst.request()), the roles that they are members of, their settings and those of the database,
// and the privileges to set parameters. Other roles come and go without a new schema cache, and so
// do passwords.
#pragma once

#include "pg/pg_prelude.hpp"

namespace pgrst::pg {

// Needs a transaction.
uint64 px_sum_served_roles(const char* authenticator);

}  // namespace pgrst::pg
