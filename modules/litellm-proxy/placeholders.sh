# shellcheck shell=bash
# What is in a key file before the key is: a part of the wiring script, see wiring.nix.

# is_placeholder VALUE: the texts that secrets.example and vendors' manuals put
# where a key belongs. In any case of letters, with - _ or a space between words,
# with or without "sk-" before them:
#   replace-me...  change-me...  placeholder  fill-me-in  todo
#   insert-...-here  paste-...-here  put-...-here  your-...-here
#   your-key  your-...-key  (also token, secret, password)
#   <...>  {{...}}  $NAME  ${NAME}  $(...)  ...  xxx...
is_placeholder() {
  local text=${1,,} name='[a-z0-9{}$-]'
  text=${text//[_ ]/-}
  text=${text#sk-}
  case $text in
    replace-me* | replaceme* | change-me* | changeme* | placeholder | fill-me-in | todo) ;;
    insert-*-here | paste-*-here | put-*-here | your-*-here) ;;
    your-key | your-*-key | your-token | your-*-token) ;;
    your-secret | your-*-secret | your-password | your-*-password) ;;
    '<'*'>' | '{{'*'}}' | '$'\(*\) | ...*) ;;
    # A password may well begin with it.
    '$'*) [ -z "${text//$name/}" ] ;;
    xxx*) [ -z "${text//[x-]/}" ] ;;
    *) return 1 ;;
  esac
}
