# Reads over HTTP: filters, order, ranges, counts, errors, headers.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);

sub body_is {
    my ($target, $expected, $what) = @_;
    my $r = $client->get($target);
    is($r->{body}, $expected, $what // $target);
}

# The ids of the items that a filter lets through, in order.
sub ids_are {
    my ($filter, $expected) = @_;
    my $r = $client->get("/items?select=id&order=id&$filter");
    my $got = $r->{status} == 200 ? join(',', map { $_->{id} } @{$r->{json}}) : "$r->{status} $r->{body}";
    is($got, $expected, $filter);
}

sub error_is {
    my ($r, $status, $code, $what) = @_;
    is($r->{status}, $status, "$what: status");
    is($r->{json}{code}, $code, "$what: code") or diag($r->{body});
    is_deeply([sort keys %{$r->{json} // {}}], [qw(code details hint message)], "$what: shape");
    is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', "$what: type");
    is($r->{headers}{'proxy-status'}, "PostgREST; error=$code", "$what: Proxy-Status");
    return $r;
}

scenario 'select' => sub {
    body_is('/items?id=eq.1&select=id,name', '[{"id":1,"name":"anvil"}]');
    body_is('/items?id=eq.1&select=name,id', '[{"name":"anvil","id":1}]', 'order of columns');
    body_is('/items?id=eq.1&select=number:id', '[{"number":1}]', 'alias');
    body_is('/items?id=eq.1&select=id::text', '[{"id":"1"}]', 'cast');
    body_is('/items?id=eq.1&select=number:id::text,id', '[{"number":"1","id":1}]', 'alias and cast');
    body_is('/items?id=eq.1&select=attributes->size->w', '[{"w":30}]', 'json path');
    body_is('/items?id=eq.1&select=attributes->size->>w', '[{"w":"30"}]', 'json path as text');
    body_is('/items?id=eq.1&select=width:attributes->size->>w::int', '[{"width":30}]', 'alias, path and cast');
    body_is('/items?id=eq.2&select=attributes->colors->>1', '[{"colors":"black"}]', 'json array index');
    body_is('/items?id=eq.2&select=tags->0', '[{"tags":"iron"}]', 'array index');
    body_is('/items?id=eq.1&select=%22odd%20name%22', '[{"odd name":"a"}]', 'a quoted name');
    body_is('/items?id=eq.1&select=odd%20name', '[{"odd name":"a"}]', 'a name with a blank');
    body_is('/items?id=eq.5&select=odd%20name', qq([{"odd name":"\xc3\xbc \\"q\\""}]), 'characters to escape');
    body_is('/items?id=eq.0', '[]', 'no rows');
};

scenario 'operators, and each with not' => sub {
    my %filters = (
        'id=eq.2' => '2', 'id=neq.2' => '1,3,4,5', 'id=gt.3' => '4,5', 'id=gte.3' => '3,4,5', 'id=lt.3' => '1,2',
        'id=lte.3' => '1,2,3', 'id=in.(1,3,9)' => '1,3', 'name=in.(bolt,"drum")' => '2,4', 'name=like.*r*' => '3,4,5',
        'name=like.%25r%25' => '3,4,5', 'name=ilike.e*' => '5', 'name=match.%5E%5Babc%5D' => '1,2,3',
        'name=imatch.%5Ee' => '5', 'quantity=is.null' => '3', 'quantity=is.not_null' => '1,2,4,5',
        'in_stock=is.true' => '1,2,5', 'in_stock=is.false' => '3', 'in_stock=is.unknown' => '4',
        'quantity=isdistinct.3' => '2,3,4,5', 'document=fts.anvil' => '1', 'document=fts(english).anvils' => '1',
        'document=plfts.small%20bolt' => '2', 'document=phfts.small%20bolt' => '2', 'document=wfts.crate%20or%20bolt' => '2,3',
        'tags=cs.{iron}' => '1,2', 'tags=cd.{iron,small,x}' => '2,4', 'tags=ov.{wood,heavy}' => '1,3,5',
        'valid=sl.[10,20)' => '1', 'valid=sr.[5,15)' => '3', 'valid=nxr.[10,20)' => '1,2,5',
        'valid=nxl.[10,20)' => '2,3', 'valid=adj.[1,10)' => '2', 'id=eq(any).{1,2}' => '1,2',
        'name=like(all).{*r*,*d*}' => '4', 'name=like(any).{b*,c*}' => '2,3', 'attributes->size->>w=eq.30' => '1',
        'attributes->size->w=gt.10' => '1,4', 'attributes=cs.{"size":{"w":1}}' => '2', 'or=(id.eq.1,id.eq.4)' => '1,4',
        'and=(id.gt.1,id.lt.4)' => '2,3', 'or=(id.eq.5,and(id.gt.1,id.lt.3))' => '2,5', 'or=(id.eq.1,not.and(id.gte.1,id.lte.4))' => '1,5',
        'id=gt.1&id=lt.3' => '2', 'odd%20name=eq.d,e' => '4', 'odd%20name=in.("d,e",b)' => '2,4',
        'name=eq.' => '', 'price=eq.0.1' => '2',
    );
    for my $filter (sort keys %filters) {
        ids_are($filter, $filters{$filter});
        next if $filter =~ /&/;
        # What is neither true nor false for a filter is in neither result.
        my %null = (
            quantity => ($filter =~ /is/ ? '' : '3'), in_stock => '', document => '4', valid => '4', price => '4',
            'odd%20name' => '3', 'attributes->size->>w' => '3,5', 'attributes->size->w' => '3,5',
        );
        my ($column) = $filter =~ /^(.*?)=/;
        my %gone = map { $_ => 1 } split(/,/, $filters{$filter}), split(/,/, $null{$column} // '');
        my $negated = $filter =~ /^(?:and|or)=/ ? "not.$filter" : $filter =~ s/=/=not./r;
        ids_are($negated, join ',', grep { !$gone{$_} } 1 .. 5);
    }
};

scenario 'order' => sub {
    my $order = sub {
        my ($text, $expected) = @_;
        my $r = $client->get("/items?select=id&order=$text");
        is(join(',', map { $_->{id} } @{$r->{json} // []}), $expected, $text) or diag($r->{body});
    };
    $order->('price', '2,5,3,1,4');
    $order->('price.asc', '2,5,3,1,4');
    $order->('price.desc', '4,1,3,5,2');
    $order->('price.desc.nullslast', '1,3,5,2,4');
    $order->('price.nullsfirst', '4,2,5,3,1');
    $order->('in_stock.desc.nullslast,id.desc', '5,2,1,3,4');
    $order->('attributes->size->w.desc.nullslast,id', '4,1,2,3,5');
};

scenario 'limit, offset, Range' => sub {
    my $range = sub {
        my ($target, $headers, $status, $content_range, $rows, $what) = @_;
        my $r = $client->get($target, %$headers);
        is($r->{status}, $status, "$what: status");
        is($r->{headers}{'content-range'}, $content_range, "$what: Content-Range");
        is(scalar @{$r->{json}}, $rows, "$what: rows") if ref $r->{json} eq 'ARRAY';
    };
    my @count = (Prefer => 'count=exact');
    $range->('/numbers', {}, 200, '0-999/*', 1000, 'all');
    $range->('/numbers?limit=10', {}, 200, '0-9/*', 10, 'limit');
    $range->('/numbers?limit=10&offset=20', {}, 200, '20-29/*', 10, 'limit and offset');
    $range->('/numbers?limit=10&offset=995', {}, 200, '995-999/*', 5, 'the end');
    $range->('/numbers', {Range => '10-19'}, 200, '10-19/*', 10, 'Range');
    $range->('/numbers', {Range => '990-'}, 200, '990-999/*', 10, 'open Range');
    $range->('/numbers', {@count}, 200, '0-999/1000', 1000, 'count of all');
    $range->('/numbers?limit=10', {@count}, 206, '0-9/1000', 10, 'count, part');
    $range->('/numbers?n=lte.7&limit=10', {@count}, 200, '0-6/7', 7, 'count, all of the filtered');
    $range->('/numbers?offset=1000', {@count}, 206, '*/1000', 0, 'count, just beyond the end');
    $range->('/numbers?offset=1001', {@count}, 416, '*/1000', 0, 'count, beyond the end');
    $range->('/numbers?n=eq.0', {@count}, 200, '*/0', 0, 'count, nothing');
    $range->('/numbers?limit=0', {}, 200, '*/*', 0, 'limit of zero');
    error_is($client->get('/numbers', Range => '20-10'), 416, 'PGRST103', 'Range backwards');
    my $beyond = $client->get('/numbers?offset=2000', @count);
    is($beyond->{json}{code}, 'PGRST103', 'offset beyond the end: code');
    is($beyond->{json}{details}, 'An offset of 2000 was requested, but there are only 1000 rows.', 'details');
    is($client->get('/numbers', @count)->{headers}{'preference-applied'}, 'count=exact', 'Preference-Applied');
};

scenario 'HEAD' => sub {
    for my $target ('/items', '/items?limit=2', '/numbers?limit=5', '/nothing', '/items?id=eq.x') {
        my $get = $client->get($target, Prefer => 'count=exact');
        my $head = $client->head($target, Prefer => 'count=exact');
        is($head->{status}, $get->{status}, "$target: status");
        is($head->{body}, '', "$target: no body");
        is($head->{headers}{$_}, $get->{headers}{$_}, "$target: $_")
            for qw(content-range content-type content-location proxy-status preference-applied);
    }
};

scenario 'headers' => sub {
    my $r = $client->get('/items?select=id&id=eq.1');
    is($r->{headers}{'content-type'}, 'application/json; charset=utf-8', 'Content-Type');
    is($r->{headers}{vary}, 'Accept, Prefer, Range', 'Vary');
    is($r->{headers}{'content-location'}, '/items?id=eq.1&select=id', 'Content-Location, sorted');
    is($r->{headers}{'content-range'}, '0-0/*', 'Content-Range');
    is($r->{headers}{'content-length'}, length $r->{body}, 'Content-Length');
    my $one = $client->get('/items?select=id&id=eq.1', Accept => 'application/vnd.pgrst.object+json');
    is($one->{body}, '{"id":1}', 'a single object');
    error_is($client->get('/items', Accept => 'application/vnd.pgrst.object+json'), 406, 'PGRST116', 'more than one');
    error_is($client->get('/items', Accept => 'image/png'), 406, 'PGRST107', 'another type');
};

scenario 'profiles' => sub {
    is($client->get('/items', 'Accept-Profile' => 'api2')->{body}, '[{"id":1,"note":"of the other schema"}]', 'another schema');
    is($client->get('/items', 'Accept-Profile' => 'api2')->{headers}{'content-profile'}, 'api2', 'Content-Profile');
    is($client->get('/items')->{headers}{'content-profile'}, 'api', 'Content-Profile of the default');
    my $r = error_is($client->get('/items', 'Accept-Profile' => 'private'), 406, 'PGRST106', 'a schema that is not exposed');
    is($r->{json}{hint}, 'Only the following schemas are exposed: api, api2', 'hint');
    error_is($client->get('/numbers', 'Accept-Profile' => 'api2'), 404, 'PGRST205', 'a table of the other schema');
};

scenario 'errors of requests' => sub {
    my $r = error_is($client->get('/item'), 404, 'PGRST205', 'unknown table');
    is($r->{json}{message}, "Could not find the table 'api.item' in the schema cache", 'message');
    is($r->{json}{hint}, "Perhaps you meant the table 'api.items'", 'hint');
    error_is($client->get('/items?select=id('), 400, 'PGRST100', 'select');
    error_is($client->get('/items?id=foo.1'), 400, 'PGRST100', 'operator');
    error_is($client->get('/items?order=id.up'), 400, 'PGRST100', 'order');
    error_is($client->get('/items?or=(id.eq.1'), 400, 'PGRST100', 'logic');
    error_is($client->get('/items/1'), 404, 'PGRST125', 'path');
};

scenario 'errors of the database' => sub {
    my $r = error_is($client->get('/secrets'), 401, '42501', 'no right, anonymous');
    is($r->{headers}{'www-authenticate'}, 'Bearer', 'WWW-Authenticate');
    is($r->{json}{message}, 'permission denied for table secrets', 'message');
    error_is($client->get('/secrets', bearer({role => 'author'})), 403, '42501', 'no right, authenticated');
    error_is($client->get('/items?select=nothing'), 400, '42703', 'unknown column');
    error_is($client->get('/items?nothing=eq.1'), 400, '42703', 'unknown column in a filter');
    error_is($client->get('/items?id=eq.x'), 400, '22P02', 'not a number');
    error_is($client->get('/items?id=eq.99999999999'), 400, '22003', 'a number too large');
    error_is($client->get('/items?id=like.1'), 404, '42883', 'operator that the type has not');
    error_is($client->get('/failing_late'), 400, '22012', 'division by zero');
};

scenario 'keep-alive' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    for (1 .. 50) {
        is($connection->get("/items?id=eq.1&select=id")->{body}, '[{"id":1}]', "request $_");
        is($connection->get('/nothing')->{status}, 404, 'an error in between');
    }
    is($connection->get('/items', Connection => 'close')->{status}, 200, 'the last one');
    ok($connection->is_closed, 'closed as asked');
    my $old = PgrstClient->connect($cluster->port);
    $old->write("GET /items?id=eq.1&select=id HTTP/1.0\r\n\r\n");
    is($old->response->{body}, '[{"id":1}]', 'HTTP/1.0');
    ok($old->is_closed, 'closed after it');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
