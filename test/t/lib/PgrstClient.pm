# HTTP clients of the tests in test/t.
#
#   my $client = PgrstClient->new($port);
#   my $r = $client->get('/items?id=eq.1', Accept => 'application/json');   # one connection each
#   my $r = $client->post('/items', body => {id => 1}, Prefer => 'return=representation');
#   $r->{status}, $r->{body}, $r->{json}, $r->{headers}{'content-type'}
#
#   my $connection = PgrstClient->connect($port);          # one connection, kept alive, by hand
#   $connection->request('GET', '/slow');  ...  my $r = $connection->response;
#   $connection->write("raw bytes");  $connection->read_some;  $connection->close;
#   PgrstClient->over($socket)                              # the same on a socket of another kind
#
#   token({role => 'editor'})                               # an HS256 JWT of the cluster's secret
package PgrstClient;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use Exporter 'import';
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER SO_RCVBUF);
use Time::HiRes qw(time);

our @EXPORT = qw(token bearer from_json);

my $json = JSON::PP->new->utf8->allow_nonref->canonical;

sub from_json { return $json->decode($_[0]) }

# -- tokens
# -------------------------------------------------------------------------------------------------

sub token {
    my ($claims, %options) = @_;
    my $header = $json->encode($options{header} // {alg => 'HS256', typ => 'JWT'});
    my $payload = ref $claims ? $json->encode($claims) : $claims;
    my $signed = encode_base64url($header) . '.' . encode_base64url($payload);
    my $secret = $options{secret} // PgrstCluster::secret();
    return $signed . '.' . encode_base64url(hmac_sha256($signed, $secret));
}

# The header of a request of somebody with these claims.
sub bearer { return (Authorization => 'Bearer ' . token(@_)) }

# -- requests on connections of their own
# -------------------------------------------------------------------------------------------------

sub new {
    my ($class, $port, %options) = @_;
    my $http = HTTP::Tiny->new(
        keep_alive => $options{keep_alive} // 0,
        timeout => $options{timeout} // PgrstCluster::deadline_s(),
        max_redirect => 0,
    );
    return bless {port => $port, http => $http}, $class;
}

sub get { my ($self, @rest) = @_; return $self->request('GET', @rest) }
sub head { my ($self, @rest) = @_; return $self->request('HEAD', @rest) }
sub post { my ($self, @rest) = @_; return $self->request('POST', @rest) }
sub patch { my ($self, @rest) = @_; return $self->request('PATCH', @rest) }
sub put { my ($self, @rest) = @_; return $self->request('PUT', @rest) }
sub del { my ($self, @rest) = @_; return $self->request('DELETE', @rest) }

# A `body` among the headers is the body of the request, JSON unless there is a Content-Type; a hash or
# an array becomes that. Status 599 tells of a connection that failed; `body` then says how.
sub request {
    my ($self, $method, $path, %headers) = @_;
    return $self->request_on_connection($method, $path, %headers) if $self->{socket};
    my %options = (headers => \%headers);
    if (defined $headers{body}) {
        $options{content} = body_bytes(delete $headers{body});
        $headers{'Content-Type'} //= 'application/json';
    }
    my $r = $self->{http}->request($method, "http://127.0.0.1:$self->{port}$path", \%options);
    return decorate({status => $r->{status}, reason => $r->{reason}, headers => $r->{headers}, body => $r->{content} // ''});
}

sub body_bytes {
    my ($body) = @_;
    return ref $body eq 'HASH' || ref $body eq 'ARRAY' ? $json->encode($body) : $body;
}

sub decorate {
    my ($r) = @_;
    $r->{json} = eval { from_json($r->{body}) }
        if ($r->{headers}{'content-type'} // '') =~ /json/ && length $r->{body} < 1_000_000;
    return $r;
}

# -- one connection by hand
# -------------------------------------------------------------------------------------------------

sub connect {
    my ($class, $port, %options) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp', Timeout => PgrstCluster::deadline_s())
        or die "cannot connect to port $port: $@\n";
    setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, pack('i', 1));
    setsockopt($socket, SOL_SOCKET, SO_RCVBUF, pack('i', $options{receive_buffer})) if $options{receive_buffer};
    return bless {port => $port, socket => $socket, buffer => ''}, $class;
}

# On a socket that is connected already.
sub over {
    my ($class, $socket) = @_;
    return bless {socket => $socket, buffer => ''}, $class;
}

sub socket { return $_[0]{socket} }

# False when the other side does not take it.
sub write {
    my ($self, $bytes) = @_;
    my $offset = 0;
    my $end = time() + PgrstCluster::deadline_s();
    while ($offset < length $bytes) {
        return 0 if !IO::Select->new($self->{socket})->can_write($end - time());
        my $n = syswrite $self->{socket}, $bytes, 65536, $offset;
        return 0 if !defined $n;
        $offset += $n;
    }
    return 1;
}

sub request_on_connection {
    my ($self, $method, $path, %headers) = @_;
    $self->send($method, $path, %headers);
    return $self->response;
}

# Sends a request; a `body` among the headers is its body.
sub send {
    my ($self, $method, $path, %headers) = @_;
    my $body = body_bytes(delete $headers{body});
    my $bytes = "$method $path HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    $bytes .= "$_: $headers{$_}\r\n" for sort keys %headers;
    $bytes .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    $self->{method} = $method;
    return $self->write($bytes . "\r\n" . ($body // ''));
}

# Up to `size` bytes; '' at the end of the stream or after an error; undef when nothing came in time.
sub read_some {
    my ($self, $size, $seconds) = @_;
    if (length $self->{buffer}) {
        return substr($self->{buffer}, 0, $size // length $self->{buffer}, '');
    }
    my $socket = $self->{socket};
    my $is_decrypted = $socket->can('pending') && $socket->pending;    # then there is nothing more to wait for
    return undef if !$is_decrypted && !IO::Select->new($socket)->can_read($seconds // PgrstCluster::deadline_s());
    my $n = sysread $self->{socket}, my $bytes, $size // 262144;
    return $n ? $bytes : '';
}

# The next response; status 599 when the connection ended before it was complete. `on_body` is called
# with each piece of the body, which is then not kept.
sub response {
    my ($self, %options) = @_;
    my $seconds = $options{seconds};
    my $head = '';
    until ($head =~ /\r\n\r\n/) {
        my $bytes = $self->read_some(undef, $seconds);
        return {status => 599, reason => 'timed out', headers => {}, body => $head} if !defined $bytes;
        return {status => 599, reason => 'closed', headers => {}, body => $head} if $bytes eq '';
        $head .= $bytes;
    }
    $head =~ s/^(.*?\r\n)\r\n//s or die;
    my @lines = split /\r\n/, $1;
    $self->{buffer} = $head . $self->{buffer};
    my ($status, $reason) = (shift @lines) =~ m{^HTTP/1\.[01] (\d{3}) ?(.*)} or die "not HTTP: @lines\n";
    my %headers;
    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:]+):\s*(.*?)\s*$/ or die "bad header: $line\n";
        $name = lc $name;
        $headers{$name} = exists $headers{$name} ? "$headers{$name}, $value" : $value;
    }
    my $r = {status => $status, reason => $reason, headers => \%headers, body => ''};
    return $r if ($self->{method} // '') eq 'HEAD' || $status == 204 || $status == 304 || $status == 100;
    my $left = $headers{'content-length'} // 0;
    while ($left > 0) {
        my $bytes = $self->read_some($left < 262144 ? $left : 262144, $seconds);
        return {%$r, status => 599, reason => 'truncated'} if !defined $bytes || $bytes eq '';
        $left -= length $bytes;
        if ($options{on_body}) { $options{on_body}->($bytes) } else { $r->{body} .= $bytes }
    }
    return decorate($r);
}

# True when the other side has closed the connection (or does so in time).
sub is_closed {
    my ($self, $seconds) = @_;
    my $end = time() + ($seconds // PgrstCluster::deadline_s());
    while (time() < $end) {
        my $bytes = $self->read_some(undef, $end - time());
        return 1 if defined $bytes && $bytes eq '';
    }
    return 0;
}

sub close { close $_[0]{socket} if $_[0]{socket}; }

# Ends the connection with a reset, as a client that crashes.
sub reset {
    my ($self) = @_;
    setsockopt($self->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
    $self->close;
}

1;
