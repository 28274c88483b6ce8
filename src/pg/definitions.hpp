// Reads what the catalogs hold as trees: the queries of views, the defaults of columns and domains;
// and asks foreign tables what can be done with them.
//
// Takes no lock on a relation and waits for none. What cannot be read (a tree that is too deep, a
// foreign table that is locked) is left out and told of; the rest is read all the same. Results are
// row records, see schema_cache/catalog_queries.hpp.
#pragma once

#include "pg/byte_sink.hpp"
#include "pg/served_objects.hpp"

namespace pgrst::pg {

struct Definitions {
  ByteSink view_columns;
  ByteSink updatability;
  ByteSink defaults;
  ByteSink left_out;  // a line of text for each object
  bool read_again;    // something may be readable soon
};

// Needs a transaction and an active snapshot. The search_path should be empty, so that names are
// qualified.
void px_read_definitions(const ServedObjects& objects, Definitions* out);

}  // namespace pgrst::pg
