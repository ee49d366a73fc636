# NixOS VM tests: a machine boots with the module, an image with nixpkgs' LiteLLM, and
# models that answer by `mock_response`. One test a backend, plus one for what a
# switch does. They need KVM and a binary cache.
{
  pkgs,
  module ? ../modules/litellm-proxy,
}:

let
  inherit (pkgs) lib;

  # LiteLLM as its image has it: `litellm` as the entry point, sh and python3 beside.
  image = pkgs.dockerTools.buildLayeredImage {
    name = "localhost/litellm";
    tag = pkgs.litellm.version;
    contents = [
      pkgs.coreutils
      pkgs.dockerTools.binSh
      pkgs.dockerTools.fakeNss
      pkgs.python3
    ];
    config = {
      Entrypoint = [ (lib.getExe pkgs.litellm) ];
      Env = [ "PATH=/bin" ];
    };
  };

  config =
    models:
    pkgs.writeText "litellm.yaml" (
      builtins.toJSON {
        model_list = map (name: {
          model_name = name;
          litellm_params = {
            model = "openai/${name}";
            api_key = "os.environ/OPENAI_API_KEY";
            mock_response = "the answer of ${name}";
          };
        }) models;
      }
    );

  machine =
    { lib, ... }:
    {
      imports = [ module ];
      environment.systemPackages = [ pkgs.curl ];
      virtualisation = {
        cores = 2;
        diskSize = 8192;
        memorySize = 3072;
      };
      services.litellm-proxy = {
        enable = true;
        image = "localhost/litellm:${pkgs.litellm.version}";
        imageFile = image;
        modelConfig = lib.mkDefault "one";
        configs = {
          one = {
            file = config [ "model-one" ];
            secrets = [ "OPENAI_API_KEY" ];
          };
          two = {
            file = config [
              "model-one"
              "model-two"
            ];
            secrets = [ "OPENAI_API_KEY" ];
          };
        };
        secrets.OPENAI_API_KEY.file = "/etc/nixcfg/secrets/openai_api_key.txt";
      };
    };

  # What every test script begins with.
  helpers = backend: ''
    import json

    UNIT = "${backend}-litellm-proxy.service"
    URL = "http://127.0.0.1:4000"

    def wait_healthy():
        machine.wait_for_unit(UNIT)
        machine.wait_until_succeeds(f"curl -fsS {URL}/health/liveliness", timeout=900)

    def master_key():
        return machine.succeed("cat /var/lib/litellm-proxy/master-key").strip()

    def chat(model):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        return machine.succeed(
            f"curl -fsS {URL}/chat/completions -H 'Content-Type: application/json'"
            f" -H 'Authorization: Bearer {master_key()}' -d '{body}'"
        )

    def key_in_container():
        return machine.succeed("${backend} exec litellm-proxy printenv OPENAI_API_KEY").strip()

    def write_key(key):
        machine.succeed(
            "mkdir -p -m 0700 /etc/nixcfg/secrets",
            f"echo {key} > /etc/nixcfg/secrets/openai_api_key.txt",
        )

    # The key is written by the test and not by the configuration, which is in the
    # store, so the machine boots without it.
    machine.start()
    machine.wait_until_succeeds(
        "journalctl -u litellm-proxy-secrets"
        " | grep 'OPENAI_API_KEY: key file /etc/nixcfg/secrets/openai_api_key.txt is missing'"
    )
    write_key("sk-the-first-key")
    wait_healthy()
  '';

  gateway =
    backend:
    pkgs.testers.runNixOSTest {
      name = "litellm-proxy-${backend}";
      nodes.machine = {
        imports = [ machine ];
        services.litellm-proxy.backend = backend;
      };
      testScript = helpers backend + ''
        with subtest("requests need the master key"):
            assert "the answer of model-one" in chat("model-one")
            machine.fail(f"curl -fsS {URL}/v1/models")

        with subtest("only this machine can connect"):
            machine.fail("ss -tlnH 'sport = :4000' | grep -v 127.0.0.1")

        with subtest("the key is in the container and nowhere else"):
            assert key_in_container() == "sk-the-first-key"
            machine.fail("journalctl --no-pager | grep -F sk-the-first-key")
            machine.fail("cat /proc/*/cmdline | grep -a 'sk-the-first-ke[y]'")
            machine.fail("runuser -u nobody -- grep -rsFl -D skip sk-the-first-key /etc /run /var")

        with subtest("modes"):
            for path, mode in {
                "/run/litellm-proxy": "700",
                "/run/litellm-proxy/environment": "600",
                "/var/lib/litellm-proxy/master-key": "600",
            }.items():
                assert machine.succeed(f"stat -c %a:%U {path}").strip() == f"{mode}:root", path

        with subtest("a new key is in use without a rebuild, after one restart"):
            write_key("sk-the-second-key")
            machine.wait_until_succeeds(
                "${backend} exec litellm-proxy printenv OPENAI_API_KEY | grep -x sk-the-second-key",
                timeout=60,
            )
            wait_healthy()
            assert "the answer of model-one" in chat("model-one")

        with subtest("a key that cannot work leaves the proxy alone"):
            write_key("changeme")
            machine.wait_until_succeeds(
                "journalctl -u litellm-proxy-secrets | grep 'OPENAI_API_KEY.*placeholder'", timeout=60
            )
            assert key_in_container() == "sk-the-second-key"
            write_key("sk-the-third-key")

        with subtest("a stop leaves nothing behind"):
            machine.succeed(f"systemctl stop {UNIT}")
            machine.fail("test -e /run/litellm-proxy/environment")
            assert "litellm-proxy" not in machine.succeed("${backend} ps --all --format '{{.Names}}'")
            machine.succeed(f"systemctl start {UNIT}")
            wait_healthy()

        with subtest("a reboot brings everything back, with the same master key"):
            before = master_key()
            machine.shutdown()
            machine.start()
            wait_healthy()
            assert master_key() == before
      '';
    };
in
{
  vm-docker = gateway "docker";
  vm-podman = gateway "podman";

  vm-switch = pkgs.testers.runNixOSTest {
    name = "litellm-proxy-switch";
    nodes.machine =
      { lib, ... }:
      {
        imports = [ machine ];
        services.litellm-proxy.backend = "podman";
        specialisation = {
          two.configuration.services.litellm-proxy.modelConfig = lib.mkForce "two";
          unrelated.configuration.environment.etc."unrelated".text = "";
        };
      };
    testScript =
      { nodes, ... }:
      let
        base = "${nodes.machine.system.build.toplevel}";
        switch = name: "${base}/specialisation/${name}/bin/switch-to-configuration test";
      in
      helpers "podman"
      + ''
        def started():
            return machine.succeed(f"systemctl show -P ActiveEnterTimestampMonotonic {UNIT}")

        with subtest("a switch that does not concern the proxy leaves it and its keys alone"):
            before = started()
            machine.succeed("${switch "unrelated"}")
            assert started() == before
            machine.succeed("test -s /run/litellm-proxy/environment")

        with subtest("another configuration adds a model"):
            machine.succeed("${switch "two"}")
            wait_healthy()
            assert "the answer of model-two" in chat("model-two")

        with subtest("and the first one removes it"):
            machine.succeed("${base}/bin/switch-to-configuration test")
            wait_healthy()
            assert "the answer of model-one" in chat("model-one")
            models = machine.succeed(f"curl -fsS {URL}/v1/models -H 'x-api-key: {master_key()}'")
            assert "model-two" not in models
      '';
  };
}
