import type { Commons } from '../commons.ts';
import type { TextFile } from '../file.ts';

const TEXT = `Every TCP connection is a directory in tcp/, every UDP socket one in udp/. You use it by reading and writing the files there.

Talk to a server:
    mkdir tcp/chat                           make a connection, with a name of your own
    echo 10.7.0.1:9000 > tcp/chat/connect    returns when it is established, or fails and says why
    echo hello > tcp/chat/data
    cat tcp/chat/data                        until the server closes
    rmdir tcp/chat                           close it
Or, for as long as a file is open:
    exec 3<>dial/10.7.0.1:9000               connects; echo hello >&3; cat <&3; exec 3>&- closes

Be a server:
    mkdir tcp/server
    echo :8080 > tcp/server/listen
    name=$(cat tcp/server/accept)            waits for a caller; tcp/$name is the connection
    echo welcome > tcp/$name/data
Or, for as long as a file is open:
    exec 3<>tcp/server/accept_data           waits for a caller; echo welcome >&3; cat <&3; exec 3>&- closes

Send and receive datagrams:
    mkdir udp/ask; echo 10.7.0.1:53 > udp/ask/connect
    exec 3<>udp/ask/data                     one write and one read is one datagram

Look around:
    cat tcp/connections tcp/listeners        a line for each: name, local, remote, state, ...
    cat tcp/chat/state tcp/chat/error        as RFC 9293 names it; what ended it
    cat tcp/chat/status                      every variable
    cat tcp/chat/peek                        as data, but leaves it to be read
    grep . tcp/chat/sockopts/*               options: write to them to set them
    cat status                               the daemon that serves this
    tail -f events                           a line for each connection that comes into another state

Change it:
    echo wr > tcp/chat/shutdown              end your direction; the other goes on
    echo hangup > tcp/chat/ctl               reset; one command a line: connect, announce, close, keepalive on, ...

A connection is no program's. It goes on when programs end, and when the daemon is killed, upgraded or mounted
again: only rmdir, close, hangup or the peer end it. All about these files is in holdfast(5).`;

/** How to use the tree, for whoever finds it mounted. */
export const readme: TextFile<Commons> = {
  name: 'README',
  stream: false,
  read: () => TEXT,
};
