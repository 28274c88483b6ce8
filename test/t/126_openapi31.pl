# The OpenAPI 3.1 document at the root: who gets it, that it is one, and that the server does what it says.

use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

# Read before this process becomes another user: that one may not see the tree.
my ($python, $judge, $official);

sub slurp {
    my ($file) = @_;
    open(my $fh, '<', $file) or die "$file: $!";
    local $/;
    return <$fh>;
}

BEGIN {
    # Debian's: one of another origin may lack Debian's modules.
    $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
    my $file = abs_path("$FindBin::Bin/../tools/openapi31_faults.py");
    $judge = slurp($file);
    chomp(my $schema = `$python '$file' --official`);
    $official = slurp($schema) if $schema ne '';
}

use PgrstClient;
use PgrstCluster;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);
my $session = $cluster->session('api');
$session->sql(<<'SQL');
CREATE TYPE api.size AS ENUM ('small', 'large');
CREATE TABLE api.crates (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id int REFERENCES api.items,
  size api.size NOT NULL DEFAULT 'small',
  code varchar(8) NOT NULL,
  marks text[],
  extra jsonb,
  "odd name" text,
  doubled int GENERATED ALWAYS AS (2) STORED
);
CREATE TABLE api.places (room int, shelf text, note text, PRIMARY KEY (room, shelf));
CREATE TABLE api."odd ""table"" {name}" (id int);
CREATE VIEW api.crate_list AS SELECT id, size, code FROM api.crates;
CREATE FUNCTION api.crates_of(size api.size DEFAULT 'small') RETURNS SETOF api.crates
  LANGUAGE sql STABLE AS 'SELECT * FROM api.crates WHERE crates.size = crates_of.size';
CREATE FUNCTION api.sizes(at_least int DEFAULT 0) RETURNS TABLE (size api.size, crates bigint)
  LANGUAGE sql STABLE AS 'SELECT size, count(*) FROM api.crates GROUP BY 1 HAVING count(*) >= at_least';
CREATE FUNCTION api.add_up(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE FUNCTION api.sum_of(VARIADIC numbers int[]) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT sum(n) FROM unnest(numbers) n';
CREATE FUNCTION api.forget() RETURNS void LANGUAGE sql AS 'DELETE FROM api.crates';
CREATE FUNCTION api.length_of(bytea) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
GRANT ALL ON api.crates, api.places, api.crate_list, api."odd ""table"" {name}" TO anon;
SQL

my %v31 = (Accept => 'application/openapi+json;version=3.1');
my $type_20 = 'application/openapi+json; charset=utf-8';
my $type_31 = 'application/openapi+json; version=3.1; charset=utf-8';
my %editor = bearer({role => 'editor'});

sub setting {
    my ($name, $value) = @_;
    $session->sql("DELETE FROM pgrst.config WHERE name = '$name'");
    $session->sql("INSERT INTO pgrst.config VALUES ('$name', '$value')") if defined $value;
}

sub document {
    my $r = $client->get('/', %v31, @_);
    is($r->{status}, 200, 'status') or diag($r->{body});
    return $r->{json};
}

# -- validity
# -------------------------------------------------------------------------------------------------

my $dir = $cluster->dir;
write_file("$dir/judge.py", $judge);
if (defined $official) {
    my $copy = $ENV{PGRST_OPENAPI31_SCHEMA} = "$dir/official." . ($official =~ /^\s*\{/ ? 'json' : 'yaml');
    write_file($copy, $official);
}

sub write_file {
    my ($name, $text) = @_;
    open(my $fh, '>', $name) or die "$name: $!";
    print $fh $text;
    close $fh or die $!;
}

sub faults {
    my ($body) = @_;
    write_file("$dir/document.json", $body);
    my $output = `$python $dir/judge.py < $dir/document.json 2>&1`;
    return $? == 0 ? $output : "the validator failed: $output";
}

# Every reference leads somewhere.
sub dangling {
    my ($document, $node) = @_;
    my @lost;
    if (ref $node eq 'ARRAY') {
        push @lost, dangling($document, $_) for @$node;
    } elsif (ref $node eq 'HASH') {
        push @lost, $node->{'$ref'} if exists $node->{'$ref'} && !defined resolve($document, $node);
        push @lost, dangling($document, $_) for values %$node;
    }
    return @lost;
}

sub resolve {
    my ($document, $node) = @_;
    my ($path) = ($node->{'$ref'} // return $node) =~ m{^#/(.*)$}s or return undef;
    my $at = $document;
    $at = $at->{$_} // return undef for split m{/}, $path;
    return $at;
}

sub operations {
    my ($document) = @_;
    my @operations;
    for my $path (sort keys %{$document->{paths}}) {
        push @operations, [$path, $_, $document->{paths}{$path}{$_}] for sort keys %{$document->{paths}{$path}};
    }
    return @operations;
}

sub names_of { return map { resolve($_[0], $_)->{name} } @{$_[1]{parameters}} }

scenario 'it is OpenAPI 3.1' => sub {
    my $bad = '{"openapi": "3.1.0", "paths": {"/": {"get": {"responses": {}}}}, "components": {"schemas": {"a": {"type": "odd"}}}}';
    like(faults($bad), qr/'info' is a required property/, 'the frame is validated');
    like(faults($bad), qr/'odd' is not valid/, 'and schemas');
    like(faults($bad), qr/^official: /m, 'by the official schema too') if defined $official;
    for my $headers ({}, \%editor, {'Accept-Profile' => 'api2'}) {
        my $r = $client->get('/', %v31, %$headers);
        is(faults($r->{body}), '', 'valid');
        is(join(' ', dangling($r->{json}, $r->{json})), '', 'references lead somewhere');
        my @ids = map { $_->[2]{operationId} } operations($r->{json});
        my %ids = map { $_ => 1 } @ids;
        is(scalar(keys %ids), scalar(@ids), 'operations have names of their own');
        is(join(' ', grep { !/^[A-Za-z_][A-Za-z0-9_]*$/ } @ids), '', 'which are words');
        my @twice = grep {
            my %seen;
            grep { $seen{"$_->{in} $_->{name}"}++ } map { resolve($r->{json}, $_) } @{$_->[2]{parameters}};
        } operations($r->{json});
        is(scalar(@twice), 0, 'no operation has a parameter twice');
    }
};

# -- who gets it
# -------------------------------------------------------------------------------------------------

scenario 'Accept' => sub {
    my $json = 'application/openapi+json';
    for my $case (
        [undef, $type_20], [$json, $type_20], ["$json;version=2.0", $type_20], ["$json; version=3.1", $type_31],
        ["$json; version=\"3.1\"", $type_31], ["$json;version=7, application/json;q=0.5", $type_20],
    ) {
        my ($accept, $type) = @$case;
        my $r = $client->get('/', defined $accept ? (Accept => $accept) : ());
        is($r->{headers}{'content-type'}, $type, $accept // 'none');
        is($r->{json}{openapi} // $r->{json}{swagger}, $type eq $type_20 ? '2.0' : '3.1.0', 'the document');
        is($r->{headers}{vary}, 'Accept, Prefer, Range', 'Vary');
    }
    is($client->head('/', %v31)->{headers}{'content-type'}, $type_31, 'HEAD');
    my $r = $client->get('/', Accept => "$json;version=3.0");
    is("$r->{status} $r->{json}{code}", '406 PGRST107', 'a version that there is none of');
    is($r->{json}{message}, "None of these media types are available: $json;version=3.0", 'its message');
    is($client->get('/items', Accept => "$json;version=3.1")->{status}, 406, 'of a table');
};

scenario 'openapi_version' => sub {
    setting(openapi_version => '3.1');
    for my $accept ('*/*', 'application/json', 'application/openapi+json') {
        is($client->get('/', Accept => $accept)->{headers}{'content-type'}, $type_31, $accept);
    }
    my $r = $client->get('/', Accept => 'application/openapi+json;version=2.0');
    is("$r->{headers}{'content-type'} $r->{json}{swagger}", "$type_20 2.0", '2.0 when asked for');
    setting('openapi_version');
    is($client->get('/')->{headers}{'content-type'}, $type_20, '2.0 again');
    for my $sql (q(INSERT INTO pgrst.config VALUES ('openapi_version', '3.0')), q(SET pgrst.openapi_version = 'two')) {
        my ($status, undef, $messages) = $cluster->psql($sql, db => 'api');
        ok($status != 0, "refused: $sql");
        like($messages, qr/must be one of 2\.0, 3\.1/, 'and why');
    }
    setting(openapi_mode => 'disabled');
    is($client->get('/', %v31)->{json}{code}, 'PGRST126', 'disabled');
    setting('openapi_mode');
};

scenario 'what a role may not use is not there' => sub {
    my $anon = join ' ', keys %{document()->{paths}};
    unlike($anon, qr{/posts|/secrets}, 'a table');
    like(join(' ', keys %{document(%editor)->{paths}}), qr{/posts}, 'one that the editor may read');
    is(document(%editor)->{components}{schemas}{crates}, undef, 'not what only anon may');
};

# -- what it says
# -------------------------------------------------------------------------------------------------

scenario 'the schemas of a table' => sub {
    my $schemas = document()->{components}{schemas};
    is_deeply($schemas->{crates}{required}, ['id', 'size', 'code'], 'of rows: what is not null');
    is_deeply($schemas->{'crates.insert'}{required}, ['code'], 'to insert: what has no default');
    is($schemas->{'crates.update'}{required}, undef, 'to update: nothing');
    is(join(' ', grep { exists $schemas->{'crates.insert'}{properties}{$_} } qw(id doubled code)), 'code',
        'what the database alone writes is not inserted');
    my %expected = (
        id => {type => 'integer', format => 'int32', readOnly => JSON::PP::true, description => 'Primary key.'},
        item_id => {type => ['integer', 'null'], format => 'int32', description => 'Foreign key to `items.id`.'},
        size => {type => 'string', format => 'api.size', enum => ['small', 'large'], default => 'small'},
        code => {type => 'string', maxLength => 8},
        marks => {type => ['array', 'null'], items => {type => 'string'}},
        extra => {},
    );
    is_deeply($schemas->{crates}{properties}{$_}, $expected{$_}, $_) for sort keys %expected;
};

scenario 'a schema that is not the first' => sub {
    my $document = document('Accept-Profile' => 'api2');
    is_deeply($document->{components}{parameters}{acceptProfile}{schema}, {type => 'string', enum => ['api2']}, 'is named');
    is(scalar(grep { $_ eq 'Accept-Profile' } names_of($document, $document->{paths}{'/items'}{get})), 1, 'to read');
    is(document()->{components}{parameters}{acceptProfile}, undef, 'the first need not be');
};

scenario 'security' => sub {
    my $document = document();
    ok(!exists $document->{security} && !exists $document->{components}{securitySchemes}, 'none');
    setting(openapi_security_active => 'on');
    $document = document();
    is_deeply($document->{security}, [{JWT => []}, {}], 'a JWT, or nothing');
    is_deeply($document->{components}{securitySchemes}{JWT}, {type => 'http', scheme => 'bearer', bearerFormat => 'JWT'}, 'JWT');
    is(faults($client->get('/', %v31)->{body}), '', 'valid');
    setting('openapi_security_active');
};

scenario 'servers' => sub {
    is_deeply(document()->{servers}, [{url => 'http://127.0.0.1:' . $cluster->port}], 'the address');
    setting(openapi_server_proxy_uri => 'https://example.com/base');
    is_deeply(document()->{servers}, [{url => 'https://example.com/base'}], 'the proxy');
    setting('openapi_server_proxy_uri');
};

# -- the server does what it says
# -------------------------------------------------------------------------------------------------

my %slow = map { $_ => 1 } qw(/nap /sleep /gate /lines /failing_late);

scenario 'all that can be read without arguments is read' => sub {
    my $document = document();
    for my $operation (operations($document)) {
        my ($path, $method, $what) = @$operation;
        next if $method ne 'get' || $slow{$path} || $path =~ /leave_|traces/;
        next if grep { resolve($document, $_)->{required} } @{$what->{parameters}};
        my @takes = names_of($document, $what);
        my $query = (grep { $_ eq 'limit' } @takes) ? '?limit=1' : '';
        my $r = $client->get("$path$query");
        ok(exists $what->{responses}{$r->{status}}, "$path: $r->{status}") or diag($r->{body});
    }
};

scenario 'methods are those that OPTIONS allows' => sub {
    my $document = document();
    for my $path ('/crates', '/places', '/crate_list', '/numbers', '/odd%20%22table%22%20%7Bname%7D') {
        my %allowed = map { lc($_) => 1 } split /,/, $client->request('OPTIONS', $path)->{headers}{allow};
        delete @allowed{qw(options head)};
        # Nobody can put a key that the database always gives.
        delete $allowed{put} if $path eq '/crates';
        is_deeply([sort keys %{$document->{paths}{$path}}], [sort keys %allowed], $path);
    }
};

scenario 'writes' => sub {
    my %return = (Prefer => 'return=representation');
    my $document = document();
    my $answers = sub {
        my ($path, $method, $r) = @_;
        my $what = $document->{paths}{$path}{$method}{responses}{$r->{status}};
        ok(defined $what, "$method $path: $r->{status}") or diag($r->{body});
        return resolve($document, $what // {});
    };
    my $created = $client->post('/crates', body => {code => 'a'}, %return);
    ok($answers->('/crates', 'post', $created)->{content}{'application/json'}, 'with rows');
    is($created->{json}[0]{size}, 'small', 'the default');
    $answers->('/crates', 'post', $client->post('/crates', body => [{code => 'b'}, {code => 'c'}]));
    $answers->('/crates', 'post', $client->post('/crates', body => "code\nd\n", 'Content-Type' => 'text/csv'));
    my $merged = $client->post('/places', body => {room => 1, shelf => 'a'}, Prefer => 'resolution=merge-duplicates');
    $answers->('/places', 'post', $merged);
    $merged = $client->post('/places', body => {room => 1, shelf => 'a'}, Prefer => 'resolution=merge-duplicates, return=representation');
    is($merged->{status}, 200, 'merged');
    $answers->('/places', 'post', $merged);
    my @keys = grep { $_->{required} } map { resolve($document, $_) } @{$document->{paths}{'/places'}{put}{parameters}};
    is(join(' ', map { $_->{name} } @keys), 'room shelf', 'PUT wants the primary key');
    my $put = $client->request('PUT', '/places?room=eq.2&shelf=eq.b', body => {room => 2, shelf => 'b', note => 'x'}, %return);
    is($put->{status}, 201, 'put');
    $answers->('/places', 'put', $put);
    $answers->('/places', 'put', $client->request('PUT', '/places?room=eq.2&shelf=eq.b', body => {room => 2, shelf => 'b', note => 'y'}));
    $answers->('/crates', 'patch', $client->request('PATCH', '/crates?code=eq.a', body => {marks => ['m']}));
    $answers->('/crates', 'patch', $client->request('PATCH', '/crates?code=eq.a', body => {marks => ['m']}, %return));
    $answers->('/crates', 'delete', $client->request('DELETE', '/crates?code=eq.b'));
    my $error = $client->post('/crates', body => {code => 'far too long'});
    my $shape = resolve($document, resolve($document, $document->{paths}{'/crates'}{post}{responses}{default})->{content}{'application/json'}{schema});
    is_deeply([sort keys %{$error->{json}}], [sort keys %{$shape->{properties}}], 'errors are of the shape that it says');
};

scenario 'functions' => sub {
    my $document = document();
    my $schema = sub {
        my ($path, $status) = @_;
        return resolve($document, $document->{paths}{$path}{post}{responses}{$status // 200})->{content}{'application/json'}{schema};
    };
    is_deeply($schema->('/rpc/crates_of'), {type => 'array', items => {'$ref' => '#/components/schemas/crates'}}, 'rows of a table');
    is(ref $client->post('/rpc/crates_of')->{json}, 'ARRAY', 'are an array, without a body too');
    is(join(' ', sort keys %{$schema->('/rpc/sizes')->{items}{properties}}), 'crates size', 'RETURNS TABLE');
    is_deeply([sort keys %{$client->get('/rpc/sizes')->{json}[0]}], ['crates', 'size'], 'gives those columns');
    is_deeply($schema->('/rpc/add_up'), {type => ['integer', 'null'], format => 'int32'}, 'a scalar');
    is($client->post('/rpc/add_up', body => {a => 2})->{json}, 3, 'is one');
    is($client->get('/rpc/sum_of?numbers=1&numbers=2')->{body}, '3', 'a variadic parameter is given several times');
    is_deeply($document->{paths}{'/rpc/length_of'}{post}{requestBody}{content}, {'application/octet-stream' => {}}, 'bytes');
    is($client->post('/rpc/length_of', body => "\0\1", 'Content-Type' => 'application/octet-stream')->{body}, '2', 'are taken');
    is($client->post('/rpc/forget')->{status}, 204, 'void');
    ok($document->{paths}{'/rpc/forget'}{post}{responses}{204}, 'as it says');
};

# -- a large schema
# -------------------------------------------------------------------------------------------------

scenario 'a document of many megabytes' => sub {
    $session->sql(<<'SQL');
DO $$ BEGIN
  FOR i IN 1 .. 1500 LOOP
    EXECUTE format('CREATE TABLE api2.t%s (id int PRIMARY KEY, a text, b int, c date, d text, e text)', i);
  END LOOP;
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA api2 TO anon;
SQL
    my %profile = ('Accept-Profile' => 'api2');
    my $r = $client->get('/', %v31, %profile);
    is($r->{headers}{'content-length'}, length $r->{body}, 'Content-Length');
    cmp_ok(length $r->{body}, '>', 5_000_000, 'large');
    my $document = from_json($r->{body});
    is(scalar(grep { !/^postgrest\./ } keys %{$document->{components}{schemas}}), 1501 * 3, 'all tables are there');
    is(join(' ', dangling($document, $document)), '', 'references lead somewhere');
    my $slow = PgrstClient->connect($cluster->port, receive_buffer => 65536);
    $slow->send('GET', '/', %v31, %profile);
    is($client->get('/items?select=id&limit=1')->{status}, 200, 'others are served');
    ok($slow->response->{body} eq $r->{body}, 'a slow reader gets the same');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
