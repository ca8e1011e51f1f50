# Declares, for the module system of an older nixpkgs, the options that it lacks: from option data,
# a JSON file of options by name, each with its kind and the options below it.
{
  lib,
  # The options that the older tree has.
  options,
  data,
}:
let
  inherit (lib) mkOption types;

  # `<name>` and `*` stand for any attribute and any element.
  isPlaceholder = name: name == "*" || lib.hasPrefix "<" name;
  elements =
    node: lib.attrValues (lib.filterAttrs (name: _: isPlaceholder name) node.children) ++ [ node ];
  element = node: lib.head (elements node);
  members = node: lib.filterAttrs (name: _: !isPlaceholder name) node.children;

  equal = lib.mkOptionType {
    name = "value";
    merge =
      path: definitions:
      let
        values = map (definition: definition.value) definitions;
        first = lib.head values;
        deeper =
          name: inner: equal.merge (path ++ [ name ]) (map (value: { inherit value; }) inner);
      in
      if lib.all lib.isAttrs values && !lib.isDerivation first then
        lib.zipAttrsWith deeper values
      else if lib.all lib.isList values then
        lib.concatLists values
      else if lib.all (value: value == first) values then
        first
      else
        throw "${lib.showOption path} is set to different values";
  };

  simple = {
    inherit (types)
      bool
      float
      int
      lines
      package
      path
      port
      str
      ;
    number = types.either types.int types.float;
    anything = equal;
    function = equal;
  };
  typeOf =
    node: kind:
    let
      tag = lib.head (lib.attrNames kind);
      inside = kind.${tag};
      compound = {
        enum = types.enum inside;
        int = types.addCheck types.int (
          value: value >= inside.min or value && value <= inside.max or value
        );
        str = if inside ? pattern then types.strMatching inside.pattern else types.str;
        nullOr = types.nullOr (typeOf node inside);
        listOf = types.listOf (typeOf (element node) inside);
        attrsOf = types.attrsOf (typeOf (element node) inside);
        either = types.oneOf (map (typeOf node) inside);
        freeform = equal;
        submodule =
          if inside.freeform == null then
            types.submodule { options = declarations { } (members node); }
          else
            equal;
      };
    in
    if lib.isString kind then simple.${kind} else compound.${tag};

  # What NODES have and OLD has not.
  declarations =
    old: nodes:
    lib.filterAttrs (_: declared: declared != { }) (
      lib.mapAttrs (name: declaration (old.${name} or { })) nodes
    );
  declaration =
    old: node:
    if node ? kind && old == { } then
      mkOption (
        { type = typeOf node node.kind; } // lib.filterAttrs (name: _: name == "default") node
      )
    else if node ? kind then
      widened old (members (element node))
    else if lib.isOption old then
      { } # It was one option and is a group now: older.nix turns the values back.
    else
      declarations old node.children;

  # Another declaration of an option whose submodule has learned options since.
  widened =
    old: nodes:
    let
      added = declarations (old.type.getSubOptions [ ]) nodes;
      around =
        type:
        let
          inner = around type.functor.wrapped;
          wraps = lib.elem type.name [
            "attrsOf"
            "listOf"
            "loaOf"
            "nullOr"
          ];
        in
        if type.name == "submodule" then
          types.submodule { options = added; }
        else if wraps && inner != null then
          types.${type.name} inner
        else
          null; # No submodule within, so no name is refused.
      type = around old.type;
    in
    if added == { } || type == null then { } else mkOption { inherit type; };
in
declarations options (builtins.fromJSON (builtins.readFile data))
