# Requests to the letter of RFC 9112, as an operator of a proxy would look at them: whatever a proxy could read otherwise
# than this server is refused with one answer, and the connection closed. Each request is sent alone, behind a good one
# on the same connection, and in two pieces; a request behind it must never be answered.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.server_max_body_size' => 100000, 'pgrst.server_header_timeout' => 2, 'pgrst.server_transfer_timeout' => 2,
    'pgrst.server_idle_timeout' => 3,
});
$cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.length_of(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
CREATE FUNCTION api.seen() RETURNS json STABLE LANGUAGE sql AS $$ SELECT current_setting('request.headers')::json $$;
SQL
my $gateway = $cluster->gateway_pid;
my $mhd = do { open(my $fh, '<', '/usr/include/microhttpd.h'); local $/; hex((($fh && <$fh>) // '') =~ /MHD_VERSION\s+(0x\w+)/ ? $1 : 0) };
my $mhd_is_strict = $mhd >= 0x01000000;

my $get = 'GET /items?id=eq.1&select=id HTTP/1.1';
my $post = 'POST /rpc/length_of HTTP/1.1';
my $text = "Host: x\r\nContent-Type: text/plain\r\n";
my $good = "$get\r\nHost: x\r\n\r\n";
my $well = '[{"id":1}]';

# All answers until the other side closes: "status status closed", or what else there was.
sub answers_to {
    my (@pieces) = @_;
    my $connection = PgrstClient->connect($cluster->port);
    for my $piece (@pieces) {
        last if !$connection->write($piece);
        select(undef, undef, undef, 0.01) if @pieces > 1;
    }
    my (@seen, @answers);
    while (1) {
        my $r = eval { $connection->response(seconds => 30) } // {status => 599, reason => "no HTTP: $@", body => ''};
        if ($r->{status} == 599) {
            push @seen, $r->{body} eq '' && $r->{reason} =~ /^closed/ ? 'closed' : "$r->{reason}: $r->{body}";
            last;
        }
        push @seen, $r->{status};
        push @answers, $r;
        last if @seen > 9;
    }
    $connection->close;
    return (join(' ', @seen), @answers);
}

# name => bytes; [status, bytes] where it is another than 400.
my @malformed = (
    # -- the request line
    'no version' => "GET /items\r\nHost: x\r\n\r\n",
    'a version of one digit' => "GET /items HTTP/1\r\nHost: x\r\n\r\n",
    'a version of three digits' => "GET /items HTTP/1.10\r\nHost: x\r\n\r\n",
    'a version in lower case' => "GET /items http/1.1\r\nHost: x\r\n\r\n",
    'HTTP/0.9' => [505, "GET /items HTTP/0.9\r\nHost: x\r\n\r\n"],
    'HTTP/2.0' => [505, "GET /items HTTP/2.0\r\nHost: x\r\n\r\n"],
    'HTTP/3.0' => [505, "GET /items HTTP/3.0\r\nHost: x\r\n\r\n"],
    'another protocol' => "GET /items SPDY/3\r\nHost: x\r\n\r\n",
    'two blanks before the target' => "GET  /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'two blanks behind the target' => "GET /items  HTTP/1.1\r\nHost: x\r\n\r\n",
    'a blank at the end of the line' => "GET /items HTTP/1.1 \r\nHost: x\r\n\r\n",
    'a blank in the target' => "GET /items?name=eq.a b HTTP/1.1\r\nHost: x\r\n\r\n",
    # libmicrohttpd before 1.0 closes without an answer.
    'tabs for blanks' => [qr/400|(?=closed)/, "GET\t/items\tHTTP/1.1\r\nHost: x\r\n\r\n"],
    'a tab in the target' => "GET /items?name=eq.a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
    'a NUL in the path' => "GET /items\0x?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    'a NUL in the query' => "GET /items?name=eq.a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    'a NUL in the method' => "GET\0 /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a NUL in the version' => "GET /items HTTP/1.1\0\r\nHost: x\r\n\r\n",
    'a carriage return in the target' => "GET /items?name=eq.a\rb HTTP/1.1\r\nHost: x\r\n\r\n",
    'a control character in the target' => "GET /items?name=eq.\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    'a DEL in the target' => "GET /items?name=eq.\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
    'no target' => "GET HTTP/1.1\r\nHost: x\r\n\r\n",
    'a target without a slash' => "GET items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a target that is only a query' => "GET ?id=eq.1 HTTP/1.1\r\nHost: x\r\n\r\n",
    'an asterisk with GET' => "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    'another scheme' => "GET ftp://x/items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a scheme without a host' => "GET http:///items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a scheme and nothing else' => "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    'a user in the target' => "GET http://a:b\@x/items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a host and a port with GET' => "GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    'a method with a colon' => "GET: /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a method in brackets' => "(GET) /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a method with quotes' => "\"GET\" /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a method beyond ASCII' => "G\xc3\x89T /items HTTP/1.1\r\nHost: x\r\n\r\n",
    'a line that ends with LF' => "GET /items HTTP/1.1\nHost: x\r\n\r\n",
    'a line that ends with CR' => "GET /items HTTP/1.1\rHost: x\r\n\r\n",
    # -- names of headers
    'a blank before the colon' => "$get\r\nHost: x\r\nX-A : 1\r\n\r\n",
    'a tab before the colon' => "$get\r\nHost: x\r\nX-A\t: 1\r\n\r\n",
    'a blank before the colon of Content-Length' => "$post\r\n${text}Content-Length : 45\r\n\r\n$good",
    'a blank before the colon of Transfer-Encoding' => "$post\r\n${text}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n$good",
    'a blank before the colon of Host' => "$get\r\nHost : x\r\n\r\n",
    'a blank in a name' => "$get\r\nHost: x\r\nX A: 1\r\n\r\n",
    'no name' => "$get\r\nHost: x\r\n: x\r\n\r\n",
    'no name, then a request' => "$get\r\nHost: x\r\n: x\r\nGET /rpc/seen?a=: HTTP/1.1\r\nHost: x\r\n\r\n",
    'no name, no value' => "$get\r\nHost: x\r\n:\r\n\r\n",
    'no name, no value, then a request' => "$get\r\nHost: x\r\n:\r\n$good",
    'no name at first' => "$get\r\n: x\r\nHost: x\r\n\r\n",
    'no name, no value at first' => "$get\r\n:\r\nHost: x\r\n\r\n",
    'no colon' => "$get\r\nHost: x\r\nnonsense\r\n\r\n",
    'no colon at first' => "$get\r\nnonsense\r\nHost: x\r\n\r\n",
    'a name with a slash' => "$get\r\nHost: x\r\nX/A: 1\r\n\r\n",
    'a name with brackets' => "$get\r\nHost: x\r\nX(A): 1\r\n\r\n",
    'a name with an at sign' => "$get\r\nHost: x\r\nX\@A: 1\r\n\r\n",
    'a name with quotes' => "$get\r\nHost: x\r\n\"X\": 1\r\n\r\n",
    'a name with a comma' => "$get\r\nHost: x\r\nX,Y: 1\r\n\r\n",
    'a name with a semicolon' => "$get\r\nHost: x\r\nX;Y: 1\r\n\r\n",
    'a name with an equals sign' => "$get\r\nHost: x\r\nX=Y: 1\r\n\r\n",
    'a name beyond ASCII' => "$get\r\nHost: x\r\nX-\xc3\xa9: 1\r\n\r\n",
    'a name with a control character' => "$get\r\nHost: x\r\nX\x01: 1\r\n\r\n",
    'a name with a NUL' => "$get\r\nHost: x\r\nX\0Y: 1\r\n\r\n",
    'a name with a CR' => "$get\r\nHost: x\r\nX\rY: 1\r\n\r\n",
    # -- lines
    'a blank before the first header' => "$get\r\n Host: x\r\n\r\n",
    'a tab before the first header' => "$get\r\n\tHost: x\r\n\r\n",
    'a line of a blank before the first header' => "$get\r\n \r\nHost: x\r\n\r\n",
    'a folded line' => "$get\r\nHost: x\r\nX-A: 1\r\n 2\r\n\r\n",
    'a line folded with a tab' => "$get\r\nHost: x\r\nX-A: 1\r\n\t2\r\n\r\n",
    'a folded length' => "$post\r\n${text}Content-Length:\r\n 45\r\n\r\n$good",
    'a length behind a fold' => "$post\r\n${text}X-A: 1\r\n Content-Length: 45\r\n\r\n$good",
    'a folded Host' => "$get\r\nHost:\r\n x\r\n\r\n",
    'a folded line of nothing' => "$get\r\nHost: x\r\nX-A: 1\r\n \r\n\r\n",
    'a header that ends with LF' => "$get\r\nHost: x\r\nX-A: 1\nX-B: 2\r\n\r\n",
    'the last header ends with LF' => "$get\r\nHost: x\r\nX-A: 1\n\r\n",
    'an empty line of LF' => "$get\r\nHost: x\r\n\n",
    'lines of LF' => "$get\nHost: x\n\n",
    # -- values
    'a CR in a value' => "$get\r\nHost: x\r\nX-A: a\rb\r\n\r\n",
    'a CR at the end of a value' => "$get\r\nHost: x\r\nX-A: a\r\r\n\r\n",
    'a CR before a name' => "$get\r\nHost: x\r\n\rX-A: a\r\n\r\n",
    'a NUL in a value' => "$get\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
    'a NUL at the end of a value' => "$get\r\nHost: x\r\nX-A: a\0\r\n\r\n",
    'a NUL at the start of a value' => "$get\r\nHost: x\r\nX-A:\0a\r\n\r\n",
    'a NUL in a length' => "$post\r\n${text}Content-Length: 5\0" . "1\r\n\r\nabcde",
    'an escape in a value' => "$get\r\nHost: x\r\nX-A: \x1b[31m\r\n\r\n",
    'a DEL in a value' => "$get\r\nHost: x\r\nX-A: \x7f\r\n\r\n",
    # -- Host
    'no Host' => "$get\r\n\r\n",
    'no Host, other headers' => "$get\r\nAccept: */*\r\n\r\n",
    'two Hosts' => "$get\r\nHost: x\r\nHost: y\r\n\r\n",
    'one Host twice' => "$get\r\nHost: x\r\nHost: x\r\n\r\n",
    'two Hosts in two cases' => "$get\r\nHost: x\r\nhOST: y\r\n\r\n",
    'two Hosts with HTTP/1.0' => "GET /items HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
    'a list of Hosts' => "$get\r\nHost: x, y\r\n\r\n",
    'a Host with a blank' => "$get\r\nHost: x y\r\n\r\n",
    'a Host with a path' => "$get\r\nHost: x/y\r\n\r\n",
    'a Host with a user' => "$get\r\nHost: a\@x\r\n\r\n",
    'a Host with a query' => "$get\r\nHost: x?y\r\n\r\n",
    'a Host with a port that is none' => "$get\r\nHost: x:y\r\n\r\n",
    'a Host with two ports' => "$get\r\nHost: x:1:2\r\n\r\n",
    'an address without brackets' => "$get\r\nHost: ::1\r\n\r\n",
    'an address without its end' => "$get\r\nHost: [::1\r\n\r\n",
    'a Host in quotes' => "$get\r\nHost: \"x\"\r\n\r\n",
    # -- lengths
    'two lengths' => "$post\r\n${text}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    'two lengths in a list' => "$post\r\n${text}Content-Length: 5, 6\r\n\r\nabcdef",
    'a length of nothing' => "$post\r\n${text}Content-Length:\r\n\r\n",
    'a length of a blank' => "$post\r\n${text}Content-Length: \r\n\r\n",
    'a negative length' => "$post\r\n${text}Content-Length: -5\r\n\r\n",
    'a length with a plus' => "$post\r\n${text}Content-Length: +5\r\n\r\nabcde",
    'a length with a point' => "$post\r\n${text}Content-Length: 5.0\r\n\r\nabcde",
    'a length in hexadecimal' => "$post\r\n${text}Content-Length: 0x5\r\n\r\nabcde",
    'a length with a letter' => "$post\r\n${text}Content-Length: 5a\r\n\r\nabcde",
    'a length in words' => "$post\r\n${text}Content-Length: five\r\n\r\nabcde",
    'a length with a blank in it' => "$post\r\n${text}Content-Length: 5 0\r\n\r\nabcde",
    'a length in quotes' => "$post\r\n${text}Content-Length: \"5\"\r\n\r\nabcde",
    'a length with an exponent' => "$post\r\n${text}Content-Length: 5e0\r\n\r\nabcde",
    'a length of 2^64 - 1' => [qr/400|413/, "$post\r\n${text}Content-Length: 18446744073709551615\r\n\r\nabcde"],
    'a length of 2^64' => [qr/400|413/, "$post\r\n${text}Content-Length: 18446744073709551616\r\n\r\nabcde"],
    'a length of 2^63' => [qr/400|413/, "$post\r\n${text}Content-Length: 9223372036854775808\r\n\r\nabcde"],
    'a length of 2^63 - 1' => [413, "$post\r\n${text}Content-Length: 9223372036854775807\r\n\r\nabcde"],
    'a length of 40 digits' => [qr/400|413/, "$post\r\n${text}Content-Length: " . '9' x 40 . "\r\n\r\nabcde"],
    'a length beyond the limit' => [413, "$post\r\n${text}Content-Length: 100001\r\n\r\nabcde"],
    # -- transfer codings
    'a length and chunks' => "$post\r\n${text}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    'chunks and a length' => "$post\r\n${text}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    'chunks and a length of nothing' => "$post\r\n${text}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
    'chunks twice' => "$post\r\n${text}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    'chunks in chunks' => "$post\r\n${text}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    'gzip' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"],
    'gzip in chunks' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    'chunks in gzip' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"],
    'chunks and gzip in two lines' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n"],
    'identity' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: identity\r\n\r\n$good"],
    'no coding' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding:\r\n\r\n$good"],
    'a coding of another name' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    'a coding with a vertical tab' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"],
    'a coding in quotes' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"],
    'a coding with a parameter' => [qr/400|501/, "$post\r\n${text}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"],
    'chunks with HTTP/1.0' => "POST /rpc/length_of HTTP/1.0\r\n${text}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    # -- chunks
    'a chunk whose size is none' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    'a chunk without a size' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n\r\nab\r\n0\r\n\r\n",
    'a chunk with a sign' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n+2\r\nab\r\n0\r\n\r\n",
    'a chunk in 0x' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
    'a chunk of 2^64' => [qr/400|413/, "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nab\r\n0\r\n\r\n"],
    'a chunk longer than its size' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    'a trailer without a colon' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nnonsense\r\n\r\n",
);
cmp_ok(@malformed / 2, '>=', 100, 'a table of ' . @malformed / 2 . ' requests');

# A request that is behind it on the connection: to be answered by nobody.
my $behind = "GET /rpc/seen HTTP/1.1\r\nHost: behind\r\n\r\n";

sub shows_fault {
    my ($name, $bytes, $status, $before, @pieces) = @_;
    my ($seen, @answers) = answers_to(@pieces);
    my $expected = $before eq '' ? '' : '200 ';
    my $ok = like($seen, qr/^$expected(?:$status) ?closed$/, $name);
    is($answers[0]{body}, $well, "$name: the one before") if $before ne '' && $ok;
}

while (my ($name, $case) = splice @malformed, 0, 2) {
    my ($status, $bytes) = ref $case ? @$case : (400, $case);
    scenario "refused: $name" => sub {
        shows_fault('alone', $bytes, $status, '', $bytes . $behind);
        shows_fault('behind a good one', $bytes, $status, $good, $good . $bytes . $behind);
        my $cut = int(length($bytes) / 2);
        shows_fault('in two pieces', $bytes, $status, '', substr($bytes, 0, $cut), substr($bytes, $cut) . $behind);
    };
}

# What waits for more, until its time is over.
my @endless = (
    'a chunk of 2^64 - 1' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n0\r\n\r\n",
    'a chunk whose size does not end' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n0",
    'headers that do not end' => "$get\r\nHost: x\r\nX-A: 1\r\n",
    'a body that does not come' => "$post\r\n${text}Content-Length: 5\r\n\r\nab",
);
while (my ($name, $bytes) = splice @endless, 0, 2) {
    scenario "cut off: $name" => sub {
        my ($seen) = answers_to($bytes);
        like($seen, qr/^(?:4\d\d )?closed$/, 'alone');
        ($seen) = answers_to($good . $bytes);
        like($seen, qr/^200 (?:4\d\d )?closed$/, 'behind a good one');
    };
}

# What must be answered: name => bytes; [status, bytes] where it is another than 200.
my @wellformed = (
    'blanks around a value' => "$get\r\nHost:   x  \r\nX-A: \t 1 \t \r\n\r\n",
    'no blank before a value' => "$get\r\nHost:x\r\nAccept:*/*\r\n\r\n",
    'an empty value' => "$get\r\nHost: x\r\nX-A:\r\nX-B: \r\n\r\n",
    'a value with colons' => "$get\r\nHost: x\r\nX-A: a: b:c\r\n\r\n",
    'a tab in a value' => "$get\r\nHost: x\r\nX-A: a\tb\r\n\r\n",
    'bytes beyond ASCII in a value' => "$get\r\nHost: x\r\nX-A: \xc3\xa9\xff\r\n\r\n",
    'names of all token characters' => "$get\r\nHost: x\r\nX!#\$%&'*+-.^_`|~9: 1\r\n\r\n",
    'names in any case' => "$get\r\nhOsT: x\r\naCCEPT: application/json\r\n\r\n",
    'a hundred headers' => "$get\r\nHost: x\r\n" . join('', map { "X-$_: $_\r\n" } 1 .. 100) . "\r\n",
    'a Host with a port' => "$get\r\nHost: example.org:3000\r\n\r\n",
    'a Host with a colon and no port' => "$get\r\nHost: example.org:\r\n\r\n",
    'an empty Host' => "$get\r\nHost:\r\n\r\n",
    'an address in Host' => "$get\r\nHost: 127.0.0.1:1\r\n\r\n",
    'an address of IPv6 in Host' => "$get\r\nHost: [::1]:3000\r\n\r\n",
    'an underscore in Host' => "$get\r\nHost: my_service\r\n\r\n",
    'HTTP/1.0 without Host' => "GET /items?id=eq.1&select=id HTTP/1.0\r\n\r\n",
    'HTTP/1.9' => "GET /items?id=eq.1&select=id HTTP/1.9\r\nHost: x\r\n\r\n",
    'an absolute target' => "GET http://x/items?id=eq.1&select=id HTTP/1.1\r\nHost: x\r\n\r\n",
    'an absolute target with a port' => "GET http://x:80/items?id=eq.1&select=id HTTP/1.1\r\nHost: y\r\n\r\n",
    'an absolute target in upper case' => "GET HTTP://X/items?id=eq.1&select=id HTTP/1.1\r\nHost: x\r\n\r\n",
    'an absolute target without a path' => "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
    'bytes beyond ASCII in the target' => "GET /items?name=eq.\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    'a percent that encodes nothing' => "GET /items?name=eq.% HTTP/1.1\r\nHost: x\r\n\r\n",
    'an empty line before the request' => "\r\n$get\r\nHost: x\r\n\r\n",
    'a method in lower case' => [405, "get /items HTTP/1.1\r\nHost: x\r\n\r\n"],
    'a method of no meaning' => [405, "BREW /items HTTP/1.1\r\nHost: x\r\n\r\n"],
    'a length' => "$post\r\n${text}Content-Length: 5\r\n\r\nabcde",
    'a length with zeros' => "$post\r\n${text}Content-Length: 0005\r\n\r\nabcde",
    'one length twice' => "$post\r\n${text}Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    'a length of nothing with GET' => "$get\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    'a body of a GET' => "$get\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
    'chunks' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    'chunks in upper case' => "$post\r\n${text}Transfer-Encoding: CHUNKED\r\n\r\nA\r\nabcdefghij\r\n0\r\n\r\n",
    'chunks with zeros' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n0005\r\nabcde\r\n000\r\n\r\n",
    'a trailer' => "$post\r\n${text}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX-T: 1\r\n\r\n",
);
# libmicrohttpd before 1.0 reads no blanks behind a length.
push @wellformed, 'blanks behind a length' => "$post\r\n${text}Content-Length: 5 \r\n\r\nabcde" if $mhd_is_strict;

while (my ($name, $case) = splice @wellformed, 0, 2) {
    my ($status, $bytes) = ref $case ? @$case : (200, $case);
    scenario "answered: $name" => sub {
        my $end = "GET /items?id=eq.2&select=id HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        my $is_kept = $bytes !~ m{HTTP/1\.0};
        my ($seen, @answers) = answers_to($bytes . $end);
        is($seen, $is_kept ? "$status 200 closed" : "$status closed", 'alone, and the next one') or diag(map { $_->{body} } @answers);
        is($answers[1]{body}, '[{"id":2}]', 'the next one is itself') if $is_kept;
        ($seen) = answers_to($good . $bytes . $end);
        is($seen, $is_kept ? "200 $status 200 closed" : "200 $status closed", 'behind a good one');
        ($seen) = answers_to(map { substr $bytes . $end, $_ * 7, 7 } 0 .. length($bytes . $end) / 7);
        is($seen, $is_kept ? "$status 200 closed" : "$status closed", 'in many pieces');
    };
}

scenario 'faults have bodies like other errors' => sub {
    for my $bytes ("$get\r\n\r\n", "$get\r\nHost: x\r\nX A: 1\r\n\r\n", "$post\r\n${text}Content-Length: 5a\r\n\r\nabcde") {
        my (undef, $r) = answers_to($bytes);
        if ($mhd_is_strict) {
            is($r->{status}, 400, 'refused by libmicrohttpd');
            next;
        }
        is($r->{json}{code}, 'PGRST102', 'code');
        like($r->{json}{message}, qr/^(?:The request is malformed|The length of the body is unclear): /, "message: $r->{json}{message}");
        is($r->{headers}{'proxy-status'}, 'PostgREST; error=PGRST102', 'Proxy-Status');
        is($r->{headers}{connection}, 'close', 'told that it is closed');
    }
};

is($cluster->gateway_pid, $gateway, 'the gateway is the same');
ok(!$cluster->crashed, 'no process crashed') or diag(grep { /signal|TRAP|PANIC/ } split /^/, $cluster->log);
done_testing;
